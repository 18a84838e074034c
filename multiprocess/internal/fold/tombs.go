package fold

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// chain is what a writer has removed, as far as a fold has heard of it.
type chain struct {
	name   spool.Name
	header *segment.Header // nil if it cannot be read
	wrong  error           // why
	live   bool
	ending bool  // series of it end when nobody updates them
	alive  int64 // when it said last that it lives
	stones []segment.Tombstone
	until  int64 // the time of the newest of them; 0 if there is none
}

// MaxCarried is how many tombstones of writers that were taken up an archive carries at
// most. Writers are left alone whose tombstones would be more: they may have to cover what
// dead writers have whose files cannot be absorbed.
const MaxCarried = 1 << 16

// hear reads what all writers, dead and living, have removed until now, and drops it
// from what remains. The caller holds the writers that are absorbed next, so that they
// were dead when whatever is removed from now on was removed.
func (f *folding) hear() (*spool.Tombs, error) {
	names, err := f.dir.List()
	if err != nil {
		return nil, err
	}
	if f.silent == nil {
		f.silent = make(map[spool.Name]chain)
	}
	absorbed := make(map[spool.Name]bool, len(f.absorbed))
	for _, name := range f.absorbed {
		absorbed[name] = true
	}
	f.heard = f.heard[:0]
	tombs := spool.NewTombs()
	tombs.Carry(f.carried)
	for _, name := range names {
		if name.Kind() != spool.Writer || absorbed[name] {
			continue
		}
		c, known := f.silent[name]
		if !known {
			if c, err = f.chain(name); err != nil {
				return nil, err
			}
			if err := c.unheard(); err != nil {
				return nil, err
			}
			if c.header != nil && !c.live {
				f.silent[name] = c
			}
		}
		f.heard = append(f.heard, c)
		if c.header != nil {
			tombs.Add(segment.OriginOf(c.header), c.stones)
		}
	}
	f.remains.Bury(tombs.InArchive(&segment.Header{Kind: segment.KindArchive, Epoch: f.report.Epoch}, f.applied))
	return tombs, nil
}

// chain reads what a writer has removed. An error says that there are no descriptors.
func (f *folding) chain(name spool.Name) (c chain, err error) {
	c = chain{name: name, live: true}
	file, err := f.dir.Read(name)
	if err == nil {
		defer file.Close()
		c.live, err = file.Locked()
	}
	var b spool.Beginning
	if err == nil {
		b, err = spool.Begin(file)
	}
	if err == nil {
		err = spool.Fits(name, &b.Header)
	}
	if err == nil && b.Signs.Buried != 0 {
		removed := func(s *spool.Contents) (err error) {
			c.stones, c.until, err = segment.Tombstones(s)
			return err
		}
		if b.Sparse() { // what is mapped would be a copy
			s := spool.Contents{File: file}
			err = s.Result(removed(&s))
		} else {
			err = b.Read(file, f.dir.MaxRead, removed)
		}
	}
	switch {
	case noDescriptors(err):
		return c, err
	case err != nil:
		c.wrong = err
		return c, nil
	}
	c.header, c.alive, c.live = &b.Header, b.Signs.Alive, c.live && !b.Signs.Dead
	c.ending = b.Signs.Ending
	return c, nil
}

// unheard returns an error if the system could not read what a writer has removed.
// Others may be able to read it, and would apply it to the next archive, which does not
// know of it, with all that is absorbed now.
func (c *chain) unheard() error {
	if c.wrong != nil && spool.Unavailable(c.wrong) {
		return fmt.Errorf("the removals that %s notes cannot be read, and would later be applied to what is folded now, too: %w", c.name, c.wrong)
	}
	return nil
}

// ended returns up to when tombstones of a writer whose file is damaged cover nothing of the
// next archive: readers that read it before it was would have them cover what was absorbed
// since.
func (c *chain) ended() int64 {
	switch {
	case c.wrong == nil, spool.Unavailable(c.wrong), errors.Is(c.wrong, fs.ErrNotExist), errors.Is(c.wrong, segment.ErrVersion):
		return 0
	case c.live:
		return spool.Monotonic()
	}
	return math.MaxInt64
}

// heardOf returns what was heard of a writer. It is an error if that is not all that it has
// removed: the writer cannot be absorbed.
func (f *folding) heardOf(name spool.Name) (chain, error) {
	i, ok := slices.BinarySearchFunc(f.heard, name, func(c chain, name spool.Name) int {
		return strings.Compare(c.name.String(), name.String())
	})
	if !ok {
		return chain{}, spool.Defectf(spool.ReasonVanished, "it was gone when it was asked what it had removed")
	}
	return f.heard[i], f.heard[i].wrong
}

// settleTombs returns up to when the tombstones of writers are in the next archive, which
// has taken up the named files, and which ones it carries: those of writers that are gone
// then, as long as they may have to cover what other files have.
func (f *folding) settleTombs(taken []spool.Name) (applied map[[16]byte]int64, carried []segment.Tombstone) {
	gone := make(map[spool.Name]bool, len(taken))
	for _, name := range taken {
		gone[name] = true
	}
	applied = make(map[[16]byte]int64)
	var left spool.Mourners
	carried = slices.Clone(f.carried)
	for _, c := range f.heard {
		switch {
		case gone[c.name]:
			for _, stone := range c.stones {
				stone.From = segment.OriginOf(c.header)
				carried = append(carried, stone)
			}
			continue
		case c.header != nil:
			left.Add(c.header, c.alive)
		case spool.Unavailable(c.wrong) && !errors.Is(c.wrong, fs.ErrNotExist):
			left.AddUnknown()
		}
		if until := max(c.until, f.applied[c.name.ID()], c.ended()); until > 0 {
			applied[c.name.ID()] = until
		}
	}
	return applied, f.thin(carried, &left)
}

// thin returns the tombstones that may have to cover what the writers leave, of equal ones
// the last.
func (f *folding) thin(stones []segment.Tombstone, left *spool.Mourners) []segment.Tombstone {
	tombs := spool.NewTombs()
	last := make(map[string]segment.Tombstone)
	for i := range stones {
		s := &stones[i]
		if !tombs.Need(left, s) {
			continue
		}
		key := strings.Join(append([]string{s.From.Epoch, string(s.From.Boot[:]), s.Name, string(rune(s.Type))}, s.Labels...), "\x00")
		if had, ok := last[key]; !ok || had.Time < s.Time {
			last[key] = *s
		}
	}
	kept := slices.SortedFunc(maps.Values(last), func(a, b segment.Tombstone) int {
		return cmp.Or(cmp.Compare(a.From.Start, b.From.Start), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Name, b.Name))
	})
	return kept
}

// carriable returns those of the dead writers of which the next archive can carry what they
// have removed. It leaves the others alone, those first that have removed most.
func (f *folding) carriable(dead []heldWriter) []heldWriter {
	all := len(f.carried)
	for i := range f.heard {
		all += len(f.heard[i].stones)
	}
	for all > MaxCarried && len(dead) > 0 {
		names, most := make([]spool.Name, len(dead)), 0
		stones := make([]int, len(dead))
		for i, w := range dead {
			c, _ := f.heardOf(w.Name)
			if names[i], stones[i] = w.Name, len(c.stones); stones[i] > stones[most] {
				most = i
			}
		}
		_, carried := f.settleTombs(names)
		if len(carried) <= MaxCarried || stones[most] == 0 {
			break
		}
		f.leave(names[most], spool.ReasonUnfit, fmt.Sprintf("its removals may still apply to files that cannot be folded, and an archive carries at most %d removals", MaxCarried))
		dead = slices.Delete(dead, most, most+1)
	}
	return dead
}

// renew replaces an archive that has absorbed nothing in this fold if it is of an epoch that
// is over, of which nothing remains, if it names files that it cannot have taken up, which
// would count no more once their writers are dead, or if something was removed that it does
// not know of, so that writers need not say it for ever.
func (f *folding) renew() error {
	over := f.verdict == spool.Over
	if f.archive == (mapped.Identity{}) || !over && (f.verdict != spool.Counts || f.DryRun) {
		return nil
	}
	if _, err := f.hear(); err != nil {
		return err
	}
	kin, err := f.kin()
	if err != nil {
		return err
	}
	if ended := kin != nil && f.remains.End(kin); over || ended || f.forgets || slices.ContainsFunc(f.heard, func(c chain) bool { return c.until > f.applied[c.name.ID()] }) {
		f.Step("renew")
		return f.publish(nil, nil)
	}
	return nil
}
