package telltale

// Looking up, creating and removing series by label values.

import (
	"fmt"
	"slices"
	"time"

	"telltale/internal/series"
	"telltale/model"
)

// only returns the one series of an instrument without labels.
func (t *table[H]) only() *H { return t.series.Only() }

// with returns the series of the label values, creating it if need be. The
// lookup of a series that is there takes no lock, allocates nothing and keeps
// nothing of what it is given.
func (t *table[H]) with(values []string) *H {
	if t == nil {
		return new(H)
	}
	if len(values) != len(t.core.labels) {
		return t.wrongArity(len(t.core.labels), len(values))
	}
	d := series.DigestOf(values)
	if h := t.series.Find(d, t.core.separators, values); h != nil {
		return h
	}
	return t.withNew(d, values)
}

// withNew looks harder for a series that find did not find, then creates it.
func (t *table[H]) withNew(d series.Digest, values []string) *H {
	if t.core.needsSanitizing(values) {
		values = t.core.sanitize(values, t.core.fault)
		d = series.DigestOf(values)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.render(values)
	if slot := t.series.Get(d, text); slot != nil {
		return &slot.Handle
	}
	if len(text) != t.plainLength(values) {
		d = d.Escaped()
	}
	return t.create(d, text)
}

// plainLength is how long a series' text is if nothing in it is escaped.
func (t *table[H]) plainLength(values []string) int {
	n := len(t.core.separators[len(values)])
	for i, v := range values {
		n += len(t.core.separators[i]) + len(v)
	}
	return n
}

// render makes the text of a series in a scratch buffer. The caller holds the
// lock.
func (t *table[H]) render(values []string) []byte {
	t.rendered = t.rendered[:0]
	for i, v := range values {
		t.rendered = append(t.rendered, t.core.separators[i]...)
		t.rendered = model.AppendEscaped(t.rendered, v)
	}
	t.rendered = append(t.rendered, '"')
	return t.rendered
}

// create adds a series. The caller holds the lock, or nobody else knows t.
func (t *table[H]) create(d series.Digest, text []byte) *H {
	rows, words := t.rows(), t.core.kind.words(&t.core.definition)
	if rows != nil {
		words = 0 // they are the store's
	}
	slot, first := t.series.Reserve(d, text, words)
	now := time.Now()
	t.core.kind.bind(&slot.Handle, first, t.core)
	switch {
	case rows == nil:
	case t.filling != nil:
		t.core.kind.share(&slot.Handle, t.filling.reserve(&slot.Series))
	default:
		t.core.kind.share(&slot.Handle, rows.Add(slot.Labels(), now))
	}
	t.series.Publish(slot, now)
	return &slot.Handle
}

func (t *table[H]) wrongArity(takes, given int) *H {
	if t == nil {
		return new(H)
	}
	t.core.fault(ReasonArity, func() error {
		return fmt.Errorf("telltale: %s takes %d label values and was given %d", t.core, takes, given)
	})
	return t.detach()
}

// detach returns a handle that no scrape sees, for callers who asked for a
// series that cannot be. It is one for all of them.
func (t *table[H]) detach() *H {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.detached == nil {
		slot, first := series.New[H](false).Reserve(series.Digest{}, nil, t.core.kind.words(&t.core.definition))
		t.core.kind.bind(&slot.Handle, first, t.core)
		t.detached = &slot.Handle
	}
	return t.detached
}

// remove takes out the series of the label values, if it is there.
func (t *table[H]) remove(values []string) bool {
	if t == nil {
		return false
	}
	if len(values) != len(t.core.labels) {
		t.wrongArity(len(t.core.labels), len(values))
		return false
	}
	if t.core.needsSanitizing(values) {
		values = t.core.sanitize(values, t.core.fault)
	}
	t.mu.Lock()
	slot := t.series.Get(series.DigestOf(values), t.render(values))
	t.mu.Unlock()
	if slot == nil {
		return false
	}
	n, gone := t.takeOut(nil, slot)
	t.forget(gone)
	return n == 1
}

// removeMatching takes out the series that have all of the labels, and returns
// how many they were.
func (t *table[H]) removeMatching(labels map[string]string) (n int) {
	if t == nil || len(labels) == 0 {
		return 0
	}
	wanted := make(map[string]string, len(labels))
	for name, value := range labels {
		if !slices.Contains(t.core.labels, name) {
			t.core.fault(ReasonUnknownLabel, func() error {
				return fmt.Errorf("telltale: RemoveMatching: %s has no label %q", t.core, name)
			})
			return 0
		}
		wanted[name] = t.core.sanitizeOne(name, value, t.core.fault)
	}
	// Others create series while this looks, and between batches.
	var gone []model.Labels
	batch := make([]*series.Slot[H], 0, removedAtOnce)
	takeOut := func() {
		var m int
		m, gone = t.takeOut(gone, batch...)
		n, batch = n+m, batch[:0]
	}
	for slot := range t.series.Walk().Living() {
		if !hasLabels(slot.Labels(), wanted) {
			continue
		}
		if batch = append(batch, slot); len(batch) == removedAtOnce {
			takeOut()
		}
	}
	takeOut()
	t.forget(gone)
	return n
}

// removedAtOnce is how many series are removed while the lock is held.
const removedAtOnce = 64

// takeOut removes the series that are still there. It returns how many they
// were, and gone with those that a store had.
func (t *table[H]) takeOut(gone []model.Labels, slots ...*series.Slot[H]) (int, []model.Labels) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, rows := 0, t.rows()
	for _, slot := range slots {
		labels := slot.Labels()
		if t.series.Remove(slot) {
			n++
			if t.withdraw(&slot.Handle, rows) {
				gone = append(gone, labels)
			}
		}
	}
	return n, gone
}

// hasLabels reports whether all of the labels are in a series' text.
func hasLabels(labels model.Labels, wanted map[string]string) bool {
	found := 0
	for name, value := range labels.All() {
		if want, asked := wanted[name]; asked && want == value {
			found++
		}
	}
	return found == len(wanted)
}
