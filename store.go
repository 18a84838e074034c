package telltale

// Registries whose values other processes see.

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"telltale/internal/cell"
)

// Store keeps the values of a registry's instruments where other processes see
// them. Package multiprocess opens stores (multiprocess.Open).
type Store = cell.Store

// WithStore puts every instrument that is made for the registry into a store.
// Collecting the registry then gives what all processes that share the store's
// directory have counted, in families sorted by name, and any of them may serve
// it. What comes from elsewhere (callbacks, custom collectors, instruments made
// for no registry or for another one) is published: other processes see it as it
// was a moment ago, their gauges as one series a process, or as [model.WithMerge]
// says. Target info is the collecting registry's own, and so are families of
// [model.MergeOnce], and collectors that themselves merge processes: the collector
// of another directory, or a nested registry with a store there.
//
// Registries may share a store; each then shows what all have, so one cannot be
// registered with the other.
//
// If store is nil or the zero value of its type, Register, every constructor that
// is given the registry and Collect return an error, and so does Collect of what
// contains the registry.
func WithStore(store Store) RegistryOption {
	return registryOption(func(r *Registry) {
		if r.store = store; unopened(store) {
			r.store, r.invalid = nil, errNotOpened
		}
	})
}

var errNotOpened = errors.New("telltale: the registry's store is nil or was not opened")

// unopened reports whether a store is nil, a nil pointer, which an interface
// hides, or a pointer to the zero value of its type.
func unopened(store Store) bool {
	v := reflect.ValueOf(store)
	return !v.IsValid() || v.Kind() == reflect.Pointer && (v.IsNil() || v.Elem().IsZero())
}

// UseStore is [WithStore] for a registry that exists, to be called early in main
// for instruments that are package variables. It is an error, and nothing has
// changed, if the registry has a store already or if one of its instruments was
// updated before; the error names all that were.
func (r *Registry) UseStore(store Store) error {
	if unopened(store) {
		return errNotOpened
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.invalid != nil {
		return r.invalid
	}
	if r.store != nil {
		return errors.New("telltale: the registry has a store already")
	}
	var updated []string
	for _, e := range r.entries {
		if e == nil {
			continue
		}
		if i, ok := e.collector.(instrument); ok && i.madeFor(&r.faults) && !i.untouched() {
			updated = append(updated, e.Name())
		}
		if reads(e.collector, store) {
			return errSameDirectory
		}
	}
	if len(updated) > 0 {
		return fmt.Errorf("telltale: UseStore must be called before the registry's instruments are updated, and these were: %s", strings.Join(updated, ", "))
	}
	r.useStore(store)
	for _, e := range r.entries {
		if e != nil {
			r.adopt(e.collector)
		}
	}
	return nil
}

// useStore begins to use a store. The caller holds the lock, or nobody else knows
// r.
func (r *Registry) useStore(store Store) {
	r.store = store
	r.publication = store.Publication(r.publish)
}
