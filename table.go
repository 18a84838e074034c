package telltale

// Looking up, creating and removing series by label values.

import (
	"fmt"
	"slices"
	"time"

	"telltale/internal/cell"
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

// withNew looks again for a series that Find did not find, by values that fit and by
// their escaped text, then creates it if there is room for it. For values that nobody
// used before it allocates nothing but the series.
func (t *table[H]) withNew(d series.Digest, values []string) *H {
	if !t.core.fits(values) {
		return t.withFitted(values)
	}
	return t.withFitting(d, values)
}

// withFitted finds or creates the series of values that do not fit as they are.
func (t *table[H]) withFitted(values []string) *H {
	if len(values) > manyLabels {
		values = t.core.fit(values, t.core.fault)
		return t.withFitting(series.DigestOf(values), values)
	}
	// Filled here and by index, or the compiler would move them to the heap.
	var fitted [manyLabels]string
	for i, v := range values {
		fitted[i] = t.core.fitOne(i, v, t.core.fault)
	}
	values = fitted[:len(values)]
	d := series.DigestOf(values)
	if h := t.series.Find(d, t.core.separators, values); h != nil {
		return h
	}
	return t.withFitting(d, values)
}

// withFitting finds or creates the series of values that fit.
func (t *table[H]) withFitting(d series.Digest, values []string) *H {
	h, full := t.admit(d, values)
	if full != hasRoom {
		t.core.refuse(full, values)
	}
	return h
}

// admit returns the series of values that fit, which it creates unless a limit does
// not allow that. Then it returns what the instrument has in its place, and which
// limit it is.
func (t *table[H]) admit(d series.Digest, values []string) (*H, fullness) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, text := t.render(d, values)
	if slot := t.series.Get(d, text); slot != nil {
		return &slot.Handle, hasRoom
	}
	full := t.room(text)
	if full == registryFull && t.reclaim() {
		d, text = t.render(d, values) // others have rendered meanwhile
		if slot := t.series.Get(d, text); slot != nil {
			return &slot.Handle, hasRoom
		}
		full = t.room(text)
	}
	switch {
	case full == hasRoom:
		return t.create(d, text), hasRoom
	case !t.core.kind.sums:
		return t.apart(), full
	}
	return t.beyond(), full
}

// reclaim has idle series of other instruments make room for one, and reports whether
// there is some. The caller holds the lock, which is released meanwhile.
func (t *table[H]) reclaim() bool {
	q := t.quota
	t.mu.Unlock()
	defer t.mu.Lock()
	return q.reclaim()
}

// beyond returns the series in which counts what is over the limit, which it creates
// if there is none. The caller holds the lock.
func (t *table[H]) beyond() *H {
	if t.limited() == t.series.Len() { // there is no series of overflow
		values := t.core.overflowing()
		t.create(t.render(series.DigestOf(values), values))
	}
	return &t.overflow.Handle
}

// init creates the series of the label values, whatever the limits, unless it is
// there.
func (t *table[H]) init(values []string) {
	if t == nil {
		return
	}
	values = t.core.fit(values, t.core.fault)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(t.render(series.DigestOf(values), values))
}

// enter creates a series whatever the limits, unless it is there, and has it stay. The
// caller holds the lock.
func (t *table[H]) enter(d series.Digest, text []byte) {
	slot := t.series.Get(d, text)
	if slot == nil {
		if !t.core.isOverflow(text) {
			t.quota.add(1)
		}
		slot = series.SlotOf(t.create(d, text))
	}
	if t.core.expires {
		slot.Track().Kept = true
	}
}

// populate creates the series that exist from the start. The caller holds the lock.
func (t *table[H]) populate() {
	if t.core.initial && !t.populated {
		eachCombination(t.core.sets, func(row []string) { t.enter(t.render(series.DigestOf(row), row)) })
	}
	t.populated = true
}

// join has the series counted by a registry's quota, nil for none, after creating those
// that exist from the start. An instrument is in one quota at a time.
func (c *core[H]) join(q *quota) {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.populate()
	if t.quota == nil {
		t.quota = q
		q.add(t.limited())
		if c.expires {
			q.enlist(t)
		}
	}
}

// plainLength is how long a series' text is if nothing in it is escaped.
func (t *table[H]) plainLength(values []string) int {
	n := len(t.core.separators[len(values)])
	for i, v := range values {
		n += len(t.core.separators[i]) + len(v)
	}
	return n
}

// render makes the text of a series in a scratch buffer, and the digest by which it is
// known, given that of its values. The caller holds the lock.
func (t *table[H]) render(d series.Digest, values []string) (series.Digest, []byte) {
	t.rendered = t.rendered[:0]
	for i, v := range values {
		t.rendered = append(t.rendered, t.core.separators[i]...)
		t.rendered = model.AppendEscaped(t.rendered, v)
	}
	t.rendered = append(t.rendered, '"')
	if len(t.rendered) != t.plainLength(values) || t.core.sets != nil && t.core.isOverflow(t.rendered) {
		d = d.Escaped()
	}
	return d, t.rendered
}

// create adds a series. The caller holds the lock, or nobody else knows t.
func (t *table[H]) create(d series.Digest, text []byte) *H {
	rows, words := t.rows(), t.core.kind.words(&t.core.definition)
	if rows != nil {
		words = 0 // they are the store's
	}
	slot, first := t.series.Reserve(d, text, words)
	now := time.Now()
	created := now
	if given := t.core.created; !given.IsZero() && !t.restarted && t.filling == nil {
		created = given
	}
	t.core.kind.bind(&slot.Handle, first, t.core)
	switch {
	case rows == nil:
	case t.filling != nil:
		t.core.kind.share(&slot.Handle, t.filling.lay(slot.Labels(), created))
	default:
		t.enroll(slot, rows, created)
	}
	t.series.Publish(slot, created)
	if t.core.isOverflow(text) {
		t.overflow = slot
	}
	if t.core.expires {
		t.begun(slot, now)
		t.lookAtSome(now)
	}
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
// series that cannot be. All share one.
func (t *table[H]) detach() *H {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.apart()
}

// apart is detach for callers who hold the lock.
func (t *table[H]) apart() *H {
	if t.detached == nil {
		all := series.New[H](false)
		if t.core.expires {
			all = t.core.newSet()
		}
		slot, first := all.Reserve(series.Digest{}, nil, t.core.kind.words(&t.core.definition))
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
	if !t.core.fits(values) {
		values = t.core.fit(values, t.core.fault)
	}
	gone, removed := t.takeOutOne(values)
	t.forget(gone)
	return removed
}

// takeOutOne removes the series of the label values, if it is there. It returns it if a
// store had it.
func (t *table[H]) takeOutOne(values []string) (gone []model.Labels, removed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.series.Get(t.render(series.DigestOf(values), values))
	switch {
	case slot == nil && t.core.expires && t.rows() != nil: // it may have left, and others have it
		_, text := t.render(series.DigestOf(values), values)
		if labels := model.LabelsFromText(string(text)); t.rows().Unpark(labels) {
			return []model.Labels{labels}, true
		}
		return nil, false
	case slot == nil:
		return nil, false
	}
	n, gone := t.takeOut(nil, (*table[H]).bury, slot)
	return gone, n == 1
}

// removeMatching takes out the series that have all of the labels, and returns
// how many they were.
func (t *table[H]) removeMatching(labels map[string]string) (n int) {
	if t == nil || len(labels) == 0 {
		return 0
	}
	wanted, values := make(map[string]string, len(labels)), make([]string, len(t.core.labels))
	for name, value := range labels {
		i := slices.Index(t.core.labels, name)
		if i < 0 {
			t.core.fault(ReasonUnknownLabel, func() error {
				return fmt.Errorf("telltale: RemoveMatching: %s has no label %q", t.core, name)
			})
			return 0
		}
		values[i] = t.core.fitOne(i, value, t.core.fault)
		wanted[name] = values[i]
	}
	if len(wanted) == len(values) { // one series has them, at most
		if t.remove(values) {
			n = 1
		}
		return n
	}
	// Others create series while this looks, and between batches.
	var gone []model.Labels
	batch := make([]*series.Slot[H], 0, removedAtOnce)
	takeOut := func() {
		var m int
		t.mu.Lock()
		defer t.mu.Unlock()
		m, gone = t.takeOut(gone, (*table[H]).withdraw, batch...)
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
	m, gone := t.unparkMatching(gone, wanted)
	t.forget(gone)
	return n + m
}

// unparkMatching gives back the rows that this process has parked in a store for series
// that have the labels. It returns how many there are, and gone with them.
func (t *table[H]) unparkMatching(gone []model.Labels, wanted map[string]string) (n int, all []model.Labels) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.rows()
	if !t.core.expires || rows == nil {
		return 0, gone
	}
	for _, labels := range rows.Parked() {
		if hasLabels(labels, wanted) && rows.Unpark(labels) {
			n, gone = n+1, append(gone, labels)
		}
	}
	return n, gone
}

// removedAtOnce is how many series are removed while the lock is held.
const removedAtOnce = 64

// leaving takes a removed series out of the rows of a store, and reports whether the
// store is still to forget it: [table.withdraw] or [table.bury].
type leaving[H any] func(t *table[H], h *H, rows cell.Rows) (forget bool)

// takeOut removes the series that are still there, leave taking them out of the rows of a
// store. It returns how many they were, and gone with those that leave says are to be
// forgotten. The caller holds the lock.
func (t *table[H]) takeOut(gone []model.Labels, leave leaving[H], slots ...*series.Slot[H]) (int, []model.Labels) {
	n, rows, before := 0, t.rows(), t.limited()
	for _, slot := range slots {
		labels := slot.Labels()
		if !t.series.Remove(slot) {
			continue
		}
		n++
		t.restarted = true
		if rows == nil {
			continue
		}
		if leave(t, &slot.Handle, rows) {
			gone = append(gone, labels)
		}
		if t.core.expires { // rows that it had before and did not go on with
			rows.Unpark(labels)
		}
	}
	t.quota.add(t.limited() - before)
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
