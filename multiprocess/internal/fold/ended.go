package fold

import (
	"fmt"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// kin returns from when until when all writers, dead and living, and the archive have
// the series of families with an expiry; nil if there are no such families. The caller
// holds the writers that are absorbed next. A life that kin finds to be over stays
// over: a row that is made later begins another one.
func (f *folding) kin() (*spool.Kin, error) {
	clock := f.clock.On()
	k := spool.NewKin(clock)
	f.remains.Ending(k)
	ending := !k.Empty()
	for _, c := range f.heard {
		ending = ending || c.ending
	}
	if !ending {
		return nil, nil
	}
	names, err := f.dir.List()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if name.Kind() == spool.Python {
			k.AddForeign(name)
		}
	}
	if err := f.readHeard(func(s segment.Space, _ chain) error { return k.Families(s) }); err != nil {
		return nil, err
	}
	f.remains.AddTo(k)
	return k, f.readHeard(func(s segment.Space, c chain) error { return k.Read(s, c.live, c.alive) })
}

// readHeard calls read for what the writers of the epoch have that were heard. Those that
// are damaged are on no page either. An error says that one cannot be read that may be whole.
func (f *folding) readHeard(read func(segment.Space, chain) error) error {
	for _, c := range f.heard {
		if c.header == nil || c.header.Epoch != f.report.Epoch {
			continue
		}
		err := f.dir.Within(c.name, func(s segment.Space, _ *spool.Beginning, _ bool) error { return read(s, c) })
		if err != nil && spool.Unavailable(err) && !spool.Vanished(err) {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}
