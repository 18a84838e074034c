package store

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// parked is a row of a series that this process has not updated for the time of the expiry.
// It counts as long as others update the series.
type parked struct {
	cell.Parked
	in    *segment.Rows
	until int64 // until when the series goes on for sure, by [cell.Now]
	next  int64 // when to look again
}

// life returns the life that readers see.
func (p *parked) life(shift int64) segment.Life {
	l := p.in.Life(p.Row)
	return segment.Life{Begun: l.Begun + shift, Until: l.Until + shift}
}

// parking limits the time that a store spends looking at parked rows.
type parking struct {
	mu   sync.Mutex // held while it looks
	next time.Time
}

const (
	// parkingPart limits the time spent looking what other processes have of parked
	// series: one part in parkingPart.
	parkingPart = 20
	// leaseParts says for how long a parked row goes on for sure after another process was
	// seen to update the series: for one part in leaseParts of the expiry. The row is
	// looked at twice in that time.
	leaseParts = 4
	// leastLease is that part at least: twice the time from one tick to the next.
	leastLease = 2 * time.Second
)

// Leave implements [cell.Rows].
func (r *rows) Leave(row *cell.Word, bits uint64) {
	if rows := r.holder(row); rows != nil {
		rows.Leave(row, bits)
	}
}

// Park implements [cell.Rows]. Until the grace is over the series goes on for everybody.
func (r *rows) Park(row *cell.Word, labels model.Labels, kept unsafe.Pointer) {
	in := r.holder(row)
	if in == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := cell.Now()
	p := &parked{Parked: cell.Parked{Row: row, Left: in.Left(row), Kept: kept}, in: in, until: now + int64(spool.Grace(r.family.Expiry)), next: now}
	in.Prolong(row, p.until)
	if r.parked == nil {
		r.parked = make(map[string][]*parked)
	}
	key := strings.Clone(labels.Text())
	r.parked[key] = append(r.parked[key], p)
}

// Resume implements [cell.Rows]. It returns a row only if the series is sure to go on for
// all readers. Other rows stay parked where the rows of a process add up: they count if
// others go on with the series. Where they do not, as those of gauges, they are given back.
func (r *rows) Resume(labels model.Labels) (cell.Parked, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.parked[labels.Text()]
	if len(all) == 0 {
		return cell.Parked{}, false
	}
	sure := cell.Now() + int64(spool.Grace(r.family.Expiry)/2)
	for i, p := range all {
		if p.until > sure {
			p.in.Prolong(p.Row, 0)
			r.keepParked(labels.Text(), slices.Delete(all, i, i+1))
			return p.Parked, true
		}
	}
	if !sums(r.family.Type) {
		for _, p := range all {
			p.in.Remove(p.Row)
		}
		delete(r.parked, labels.Text())
	}
	return cell.Parked{}, false
}

// sums reports whether what several rows of a process have of a series adds up.
func sums(t model.Type) bool {
	return t == model.Counter || t == model.Histogram || t == model.Summary
}

// keepParked notes which rows of a series are parked. The caller holds the lock.
func (r *rows) keepParked(labels string, all []*parked) {
	if len(all) == 0 {
		delete(r.parked, labels)
	} else {
		r.parked[labels] = all
	}
}

// Parked implements [cell.Rows].
func (r *rows) Parked() []model.Labels {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]model.Labels, 0, len(r.parked))
	for labels := range r.parked {
		all = append(all, model.LabelsFromText(labels))
	}
	return all
}

// Unpark implements [cell.Rows].
func (r *rows) Unpark(labels model.Labels) (any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parked[labels.Text()] {
		p.in.Remove(p.Row)
		any = true
	}
	delete(r.parked, labels.Text())
	return any
}

// unparkAll gives back all parked rows.
func (r *rows) unparkAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.parked {
		for _, p := range all {
			p.in.Remove(p.Row)
		}
	}
	clear(r.parked)
}

// wantParked asks for the series of parked rows that are to be looked at, and reports
// whether there are any.
func (r *rows) wantParked(k *spool.Kin, now int64) (any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for labels, all := range r.parked {
		for _, p := range all {
			if p.next <= now {
				k.WantSeries(&r.family, labels)
				any = true
			}
		}
	}
	return any
}

// settle gives back the parked rows of series that have ended, and prolongs those of
// series that another process updates.
func (r *rows) settle(k *spool.Kin, now, shift int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	grace, lease := int64(spool.Grace(r.family.Expiry)), int64(max(r.family.Expiry/leaseParts, leastLease))
	for labels, all := range r.parked {
		sorted := ""
		all = slices.DeleteFunc(all, func(p *parked) bool {
			if p.next > now {
				return false
			}
			if sorted == "" {
				sorted = catalog.SortedLabels(labels)
			}
			until, ended := k.GoesOn(&r.family, sorted, p.life(shift))
			switch {
			case ended:
				p.in.Remove(p.Row)
				return true
			case until == segment.Never:
				p.until, p.next = max(p.until, spool.After(now+grace, time.Duration(lease))), spool.After(now, time.Duration(lease/2))
				p.in.Prolong(p.Row, p.until)
			default:
				p.next = max(spool.After(until-shift, time.Duration(grace+1)), now+lease/2)
			}
			return false
		})
		r.keepParked(labels, all)
	}
}

// settleParked looks what other processes have of the series that this process has
// parked, and settles them.
func (s *Store) settleParked() {
	g := &s.parking
	if !g.mu.TryLock() {
		return
	}
	defer g.mu.Unlock()
	began := time.Now()
	if began.Before(g.next) {
		return
	}
	s.mu.Lock()
	families := slices.Clone(s.families)
	s.mu.Unlock()
	clock := spool.Now()
	k, now, wanted := spool.NewKin(clock), cell.Now(), false
	for _, r := range families {
		wanted = r.wantParked(k, now) || wanted
	}
	if !wanted {
		return
	}
	if s.readKin(k) == nil {
		header := segment.Header{Boot: clock.Boot, Ahead: spool.Ahead()}
		for _, r := range families {
			r.settle(k, now, clock.Shift(&header))
		}
	}
	g.next = began.Add(parkingPart * time.Since(began))
}

// readKin reads from when until when all processes of the epoch have series. An error says
// that something cannot be read that may be whole.
func (s *Store) readKin(k *spool.Kin) error {
	for _, own := range s.Own() {
		if err := k.Read(own.Space, true, 0); err != nil {
			return err
		}
	}
	names, err := s.dir.List()
	if err != nil {
		return err
	}
	for _, name := range append(names, spool.ArchiveName) { // last, where it has what a fold took up meanwhile
		if name.Kind() == spool.Python {
			k.AddForeign(name)
		}
		if name.Kind() != spool.Writer && name != spool.ArchiveName || name == s.name {
			continue
		}
		err := s.dir.Within(name, func(space segment.Space, b *spool.Beginning, live bool) error {
			if b.Header.Epoch != s.settings.Epoch {
				return nil
			}
			return k.Read(space, live, b.Signs.Alive)
		})
		if err != nil && spool.Unavailable(err) && !spool.Vanished(err) {
			return err
		}
	}
	return nil
}
