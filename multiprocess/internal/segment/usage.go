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

// UsageOf returns what the bytes of a segment are used for. Its writer may go on meanwhile.
// With an error it returns that of the bytes before the damage; Garbage is unknown then.
func UsageOf(s Space) (Usage, error) {
	a := accounts{space: s, linked: make(map[uint64]uint64)}
	_, err := a.table.Next(s, nil, nil)
	u := Usage{Families: len(a.table.families), Bytes: a.table.at, Taken: a.table.notes.Taken}
	if err != nil {
		return u, err
	}
	if a.table.header.Kind == KindWriter {
		if _, _, err := Tombstones(s); err != nil {
			return u, err
		}
	}
	if err := a.weigh(); err != nil {
		return u, err
	}
	for number, f := range a.table.families {
		words := f.Words()
		for _, stretch := range f.Stretches(nil) {
			if err := stretch.Locate(s); err != nil {
				return u, err
			}
			for i := range stretch.Tenants {
				bytes, row := a.rows[number][int(stretch.From)+i], stretch.Row(i, words)
				if _, in := stretch.In(i, row); !in {
					u.Garbage += bytes.all + uint64(words)*8
					continue
				}
				u.Series++
				u.Garbage += bytes.all - bytes.last
				a.reach(f.Family, row)
			}
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
	table  Table
	rows   [][]recordBytes   // of series, by family and row
	linked map[uint64]uint64 // lanes, tables and texts that nobody refers to: sizes by offset
}

// recordBytes is the sizes of the records of a row's series.
type recordBytes struct{ all, last uint64 }

// weigh goes through the records again, which the table found to be good, for
// their sizes.
func (a *accounts) weigh() error {
	for _, f := range a.table.families {
		a.rows = append(a.rows, make([]recordBytes, len(f.Tenants)))
	}
	end := a.table.at
	for at := uint64(HeaderSize); at < end; {
		b, fixed, t, err := recordAt(a.space, at, end)
		if err != nil {
			return err
		}
		switch t {
		case seriesRecord:
			in := fields{rest: fixed}
			number, row := in.u32(), in.u32()
			if uint64(number) < uint64(len(a.rows)) && uint64(row) < uint64(len(a.rows[number])) {
				bytes := &a.rows[number][row]
				bytes.all += uint64(len(b))
				bytes.last = uint64(len(b))
			}
		case lanesRecord, tableRecord, textRecord:
			a.linked[at] = uint64(len(b))
		}
		at += uint64(len(b))
	}
	return nil
}

// reach takes the lanes, tables and texts that a row refers to out of a.linked, in which
// those stay that no row refers to.
func (a *accounts) reach(f *Family, row *cell.Word) {
	if f.Layout == LayoutValue {
		if at, ok := markedLanes(f.Layout.Values(row).Load()); ok {
			delete(a.linked, at)
		}
	}
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
