package spool

import (
	"math/rand/v2"
	"slices"
)

// Look finds out whether a writer lives and what the beginning of its segment says,
// in this order: what a dead writer has written is all there is. After an error the
// writer lives, unless it is known to be otherwise.
func (d *Dir) Look(name Name) (s Seen, err error) {
	s = Seen{Name: name, Live: true}
	file, err := d.Read(name)
	if err != nil {
		s.Live = ReasonOf(err) != ReasonNotRegular
		return s, err
	}
	defer file.Close()
	locked, err := file.Locked()
	if err != nil {
		return s, err
	}
	s.Live = locked
	b, err := Begin(file)
	if err == nil {
		err = Fits(name, &b.Header)
	}
	if err == nil {
		s.Header, s.Live, s.Alive = &b.Header, locked && !b.Signs.Dead, b.Signs.Alive
	}
	return s, err
}

// mostLooked is how many writers' segments a process looks at that begins to write or counts
// dead writers, where there are more: those are picked at random. So what n processes look at
// together grows with n, and not with its square.
const mostLooked = 256

// pick returns the writers' segments among names in an order in which each of the first
// mostLooked may be any of them.
func pick(names []Name) []Name {
	writers := slices.DeleteFunc(names, func(n Name) bool { return n.kind != Writer })
	if len(writers) > mostLooked {
		for i := range mostLooked {
			j := i + rand.IntN(len(writers)-i)
			writers[i], writers[j] = writers[j], writers[i]
		}
	}
	return writers
}

// estimate returns how many of n there are like the found ones among those that were looked
// at.
func estimate(found, looked, n int) int {
	if looked == 0 {
		return 0
	}
	return int(int64(found) * int64(n) / int64(looked))
}

// Survey looks at the archive and at the writers' segments and settles which of them count,
// for a process of a service that is about to write the segment of its own name. Where they
// are many it looks at some: when an epoch first appeared is what the earliest of all its
// segments says, so that it does not matter what the others inherited, and beside a live
// writer of the service that this process did not begin there is none of another one. It
// does not read what archives have taken up, nor fails for segments that cannot be read.
func (d *Dir) Survey(wanted *string, service string, own Name, clock Clock) (*Survey, error) {
	names, err := d.List()
	if err != nil {
		return nil, err
	}
	var seen []Seen
	look := func(names []Name) *Survey {
		for _, name := range names {
			s, _ := d.Look(name)
			seen = append(seen, s)
		}
		return NewSurvey(seen, wanted, clock)
	}
	if slices.Contains(names, ArchiveName) {
		look([]Name{ArchiveName})
	}
	writers := pick(names)
	first := writers[:min(len(writers), mostLooked)]
	s := look(first)
	if rest := writers[len(first):]; service != "" && s.Stranger(service) == nil && !slices.ContainsFunc(seen, func(w Seen) bool {
		return w.Live && w.Name != own && w.Header != nil && w.Header.Service == service
	}) {
		first, s = writers, look(rest)
	}
	s.looked, s.writers = len(first), len(writers)
	return s, nil
}

// CountDead returns how many writers' segments there are to which nobody writes any more, as
// far as it is known of each, and how many writers' segments there are. Where they are many
// it is an estimate.
func (d *Dir) CountDead(own Name) (dead, writers int, err error) {
	names, err := d.List()
	if err != nil {
		return 0, 0, err
	}
	all := pick(names)
	looked := all[:min(len(all), mostLooked)]
	for _, name := range looked {
		if name != own && d.isDead(name) {
			dead++
		}
	}
	return estimate(dead, len(looked), len(all)), len(all), nil
}

// isDead reports whether it is known of a writer that it is dead.
func (d *Dir) isDead(name Name) bool {
	file, err := d.Read(name)
	if err != nil {
		return false
	}
	defer file.Close()
	locked, err := file.Locked()
	return err == nil && !locked
}
