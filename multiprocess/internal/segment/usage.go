package segment

import "telltale/internal/cell"

// Usage says what the bytes of a segment are used for.
type Usage struct {
	Families int
	Series   int    // that are there now
	Bytes    uint64 // published, the header included
	Taken    Taken  // what an archive has taken up
	// Garbage is how many of the bytes nobody reads any more: records of series
	// whose row was given to another, or that were removed, with their rows, and
	// lanes, tables and texts that no series refers to. Rows of removed series are
	// used again, with what they refer to.
	Garbage uint64
}

// UsageOf walks a segment that nobody need stop writing. After an error the usage
// is that of what lies before the damage, with garbage unknown.
func UsageOf(s Space) (Usage, error) {
	a := accounts{space: s, linked: make(map[uint64]uint64)}
	var r Reader
	err := r.Next(s, &a)
	u := Usage{Families: len(r.families), Bytes: r.at, Taken: r.notes.Taken}
	if err != nil {
		return u, err
	}
	if err := a.weigh(r.at); err != nil {
		return u, err
	}
	for number, f := range r.families {
		for row, bytes := range a.rows[uint32(number)] {
			if bytes.all == 0 {
				continue // no series was ever there
			}
			word := a.places.Row(a.space, f, uint32(row))
			if word == nil {
				return u, corrupt(r.at, "row %d of %.80q is not there", row, f.Name)
			}
			if _, _, live := State(word); !live {
				u.Garbage += bytes.all + uint64(f.Words())*8
				continue
			}
			u.Series++
			u.Garbage += bytes.all - bytes.last
			a.reach(f, word)
		}
	}
	for _, size := range a.linked {
		u.Garbage += size
	}
	return u, nil
}

// accounts is what UsageOf keeps of a segment.
type accounts struct {
	space  Space
	places Places
	rows   map[uint32][]recordBytes // of series, by family and row
	linked map[uint64]uint64        // lanes, tables and texts that nobody refers to: sizes by offset
}

// recordBytes is the sizes of the records of a row's series.
type recordBytes struct{ all, last uint64 }

func (a *accounts) Family(*Family) error { return nil }

func (a *accounts) Block(f *Family, offset uint64, rows uint32) error {
	a.places.Add(f, offset, rows)
	return nil
}

func (a *accounts) Series(f *Family, row uint32, _ uint8, _ Series) error {
	if a.rows == nil {
		a.rows = make(map[uint32][]recordBytes)
	}
	if rows := a.rows[f.Number]; uint64(row) == uint64(len(rows)) {
		a.rows[f.Number] = append(rows, recordBytes{})
	}
	return nil
}

// weigh goes through the records again, which a Reader found to be good, for
// their sizes.
func (a *accounts) weigh(end uint64) error {
	for at := uint64(HeaderSize); at < end; {
		b, fixed, t, err := recordAt(a.space, at, end)
		if err != nil {
			return err
		}
		switch t {
		case seriesRecord:
			in := fields{rest: fixed}
			number, row := in.u32(), in.u32()
			if rows := a.rows[number]; uint64(row) < uint64(len(rows)) {
				rows[row].all += uint64(len(b))
				rows[row].last = uint64(len(b))
			}
		case lanesRecord, tableRecord, textRecord:
			a.linked[at] = uint64(len(b))
		}
		at += uint64(len(b))
	}
	return nil
}

// reach crosses off what a row refers to.
func (a *accounts) reach(f *Family, row *cell.Word) {
	if !f.Layout.linked() {
		return
	}
	links := cell.At(row, wordLinks).Load()
	upper, lower := links>>32*8, links&0xffffffff*8
	_, fresh := a.linked[upper] // many rows may refer to one table, in a forged segment
	if t, ok := tableAt(a.space, upper); ok && fresh && f.Layout != LayoutInfo {
		for i := range t.n {
			delete(a.linked, cell.At(t.first, i).Load())
		}
	}
	delete(a.linked, upper)
	delete(a.linked, lower)
}
