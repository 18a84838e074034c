package telltale

// Making instruments: register or reuse.

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"telltale/internal/series"
)

// In registers the instrument with reg instead of [Default]. A nil registry is an
// error; [Unregistered] makes an instrument without a registry.
func In(reg *Registry) Option {
	return forAll(func(s *settings) {
		if reg == nil {
			s.err = errors.New("telltale: In(nil): use Unregistered() to make an instrument without a registry")
		}
		s.registry = reg
	})
}

// Must returns x, or panics with err if there is one. It is for package
// variables, where an error is a mistake in the program.
func Must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// newPlain makes an instrument without labels.
func newPlain[H any, O option](k *kind[H], name, help string, opts []O) (*H, error) {
	c, err := obtain(k, name, help, nil, settingsOf(opts))
	if err != nil {
		return nil, err
	}
	return c.table.only(), nil
}

// newVec makes an instrument whose labels are given by position.
func newVec[H any, O option](k *kind[H], name, help string, labels []string, opts []O) (*Vec[H], error) {
	if len(labels) == 0 {
		return nil, fmt.Errorf("telltale: %s %q with labels has no label names", k.typ, name)
	}
	c, err := obtain(k, name, help, labels, settingsOf(opts))
	if err != nil {
		return nil, err
	}
	return &Vec[H]{labelled[H]{table: c.table, fixed: make([]*string, len(c.labels)), free: len(c.labels)}}, nil
}

// newOf makes an instrument whose labels are the fields of a struct.
func newOf[L comparable, H any, O option](k *kind[H], name, help string, opts []O) (*Of[L, H], error) {
	s := settingsOf(opts)
	labels, fields, err := labelFields(reflect.TypeFor[L](), s)
	if err != nil {
		return nil, fmt.Errorf("%w, in %s %q", err, k.typ, name)
	}
	c, err := obtain(k, name, help, labels, s)
	if err != nil {
		return nil, err
	}
	return &Of[L, H]{labelled: labelled[H]{table: c.table}, fields: fields, strings: sideBySide(fields)}, nil
}

// obtain returns the registered instrument with the definition, or makes and
// registers it.
func obtain[H any](k *kind[H], name, help string, labels []string, s *settings) (*core[H], error) {
	d, err := define(k.typ, name, help, labels, s)
	if err != nil {
		return nil, err
	}
	if err := d.limit(s.limit()); err != nil {
		return nil, err
	}
	fresh := newCore(d, k)
	if s.unregistered {
		fresh.join(nil)
		return fresh, nil
	}
	reg := s.target()
	fresh.home = reg.account()
	err = reg.Register(fresh)
	var duplicate *DuplicateError
	if errors.As(err, &duplicate) {
		for _, clash := range duplicate.Clashes {
			if held, ok := clash.Holder.(*core[H]); ok && held.equal(d) {
				return held, nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

func newCore[H any](d *definition, k *kind[H]) *core[H] {
	c := &core[H]{definition: *d, kind: k, reporter: reporter{subject: d.name}}
	if c.expires {
		c.began = time.Now()
		c.moving.Begin()
	}
	c.table = newTable(c)
	c.family = d.newFamily().WithPoints(c.table)
	if len(d.labels) == 0 {
		c.table.create(series.Digest{}, []byte(d.constLabels.Text()))
	}
	return c
}

// limit returns how many series the family may have.
func (s *settings) limit() int {
	switch {
	case s.seriesLimit != nil:
		return *s.seriesLimit
	case s.unregistered:
		return DefaultSeriesLimit
	}
	return s.target().familyLimit()
}

// target returns the registry that the instrument is to be registered with.
func (s *settings) target() registrar {
	if s.registry == nil {
		return Default
	}
	return s.registry
}
