package telltale

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"telltale/model"
)

// settingsOf applies options, each by the method that its kind of instrument has.
func settingsOf[O any](opts []O, apply func(O, *settings)) *settings {
	s := &settings{valueLimit: DefaultLabelValueLimit, window: defaultWindow}
	for _, o := range opts {
		if any(o) != nil {
			apply(o, s)
		}
	}
	return s
}

// Must returns x, or panics with err if there is one. It is for package
// variables, where an error is a mistake in the program.
func Must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// plain makes an instrument without labels.
func plain[H any](typ model.Type, name, help string, s *settings, k *kind[H]) (*H, error) {
	c, err := obtain(typ, name, help, nil, s, k)
	if err != nil {
		return nil, err
	}
	return c.only(), nil
}

// labelled makes an instrument whose labels are given by position.
func labelled[H any](typ model.Type, name, help string, labels []string, s *settings, k *kind[H]) (*Vec[H], error) {
	if len(labels) == 0 {
		return nil, fmt.Errorf("telltale: %s %q is to have labels but is given no label names", typ, name)
	}
	c, err := obtain(typ, name, help, labels, s, k)
	if err != nil {
		return nil, err
	}
	return newVec(c), nil
}

// typed makes an instrument whose labels are the fields of a struct.
func typed[L comparable, H any](typ model.Type, name, help string, s *settings, k *kind[H]) (*Of[L, H], error) {
	labels, fields, err := labelFields(reflect.TypeFor[L]())
	if err != nil {
		return nil, fmt.Errorf("%w, in %s %q", err, typ, name)
	}
	c, err := obtain(typ, name, help, labels, s, k)
	if err != nil {
		return nil, err
	}
	numbers := slices.ContainsFunc(fields, func(f labelField) bool { return f.kind != stringLabel })
	return &Of[L, H]{core: c, fields: fields, numbers: numbers}, nil
}

// obtain returns the registered instrument with the definition, or makes and
// registers it.
func obtain[H any](typ model.Type, name, help string, labels []string, s *settings, k *kind[H]) (*core[H], error) {
	d, err := define(typ, name, help, labels, s)
	if err != nil {
		return nil, err
	}
	fresh := newCore(d, k)
	if s.unregistered {
		return fresh, nil
	}
	if s.registry == nil {
		s.registry = Default
	}
	d.home = s.registry
	err = s.registry.Register(fresh)
	var duplicate *DuplicateError
	if errors.As(err, &duplicate) {
		if held, ok := duplicate.holder.(*core[H]); ok && held.equal(d) {
			return held, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

func newExemplar(v float64, labels map[string]string, d *definition) (*model.Exemplar, error) {
	text, err := model.NewExemplarLabels(labels)
	if err != nil {
		if d != nil {
			d.fault(ReasonExemplar, func() error { return fmt.Errorf("%w, for %s %q", err, d.typ, d.name) })
		}
		return nil, err
	}
	return &model.Exemplar{Labels: text, Value: v, Timestamp: model.TimestampOf(time.Now())}, nil
}

func refused(what string, d *definition, v float64) error {
	name := ""
	if d != nil {
		name = d.name
	}
	return fmt.Errorf("telltale: %s %q cannot be increased by %v", what, name, v)
}

// handle is what all handles share. A handle is a collector too: it stands for
// the family of its instrument, with all its series.
type handle struct{ family *definition }

// Collect emits the family to which the handle belongs.
func (h *handle) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if h.family == nil {
		return nil
	}
	return h.family.owner.Collect(ctx, emit)
}

// Describe returns the family to which the handle belongs, without samples.
func (h *handle) Describe() []*model.Family {
	if h.family == nil {
		return nil
	}
	return h.family.owner.Describe()
}

func (h *handle) instrument() instrument {
	if h.family == nil {
		return nil
	}
	return h.family.owner
}
