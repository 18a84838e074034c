//go:build unix

package metamorphic

import (
	"fmt"

	"telltale"
)

// heap is what the processes of a script count without a store, each by itself.
type heap map[string]*instruments

// do does an operation, of which the world does not know yet.
func (h heap) do(w *world, o op) error {
	if o.verb() == "open" && !w.refuses(o.opt("service")) {
		h[o.arg(1)] = newInstruments(telltale.NewRegistry(telltale.WithStrict()), o)
	}
	if o.verb() == "elapse" {
		return h.elapse(o)
	}
	if shapes[o.verb()] < 3 || o.verb() == "shift" || o.verb() == "churn" {
		return nil
	}
	if o.verb() == "python" {
		h[o.arg(1)] = newInstruments(telltale.NewRegistry(telltale.WithStrict()), op{"open", o.arg(1)})
		_, err := h[o.arg(1)].do(op{updates[o.arg(2)[0]], o.arg(1), o.arg(2), o.arg(3), o.arg(4)})
		return err
	}
	in, family := w.process(o.arg(1)), o.arg(2)
	whole := o.verb() == "clear" || o.verb() == "replace"
	removed := whole || o.verb() == "remove" && in.families[family][o.arg(3)] != nil
	if _, err := h[in.name].do(o); err != nil || !removed {
		return err
	}
	for _, p := range w.processes {
		for _, label := range sorted(p.families[family]) {
			if p.lives || !w.reaches(in, p, family, whole) || !whole && label != o.arg(3) {
				continue
			}
			if _, err := h[p.name].do(op{"remove", p.name, family, label}); err != nil {
				return err
			}
		}
	}
	return nil
}

// check compares what each process has with what the world says of it.
func (h heap) check(w *world) error {
	for _, p := range w.processes {
		page, err := read(h[p.name].registry)
		if err != nil {
			return err
		}
		alone := &world{processes: []*process{{name: p.name, lives: true, edition: p.edition, families: p.families}}}
		expected := make(map[sample]expectation)
		for key, e := range alone.page("", false, page) {
			key.pid = ""
			expected[key] = e
		}
		for family, rows := range p.families {
			for label, r := range rows {
				if gone, _ := r.isGone(); family[0] == 't' && r.set == 0 && !gone {
					expected[sample{name: family, label: label}] = expectation{} // it has no time on the heap
				}
			}
		}
		if wrong := page.misses(expected, false); wrong != "" {
			return fmt.Errorf("%s: %s", p.name, wrong)
		}
	}
	return nil
}
