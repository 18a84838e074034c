package multiprocess

import (
	"path/filepath"
	"time"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// group is the segments that belong together: those of one epoch.
type group struct {
	epoch      string
	live, dead int    // writers
	generation uint64 // of the archive; 0 if there is none
}

// gather finds the files that count. Segments of another epoch do not: the
// service was begun anew. Neither do those that an archive has taken up, or that
// were met under another name. Python's files count whatever the epoch is. The
// outcome is the same until a file changes.
func (m *merger) gather() {
	var segments []*file
	absorbed := make(map[string]*file)
	for _, f := range m.files {
		f.misfit, f.doubt, f.taken = nil, nil, false
		if s, ok := f.source.(*segmentFile); ok {
			segments = append(segments, f)
			for _, name := range s.absorbed {
				absorbed[name] = f
			}
		}
	}
	for _, f := range m.files {
		name := filepath.Base(f.path)
		if s, ok := f.source.(*segmentFile); ok && f.err == nil {
			if s.isArchive() {
				continue // none takes up another, whatever it says
			}
			name = spool.WriterName(s.header().ID).String() // whatever it is called, where files are given by hand
		}
		by := absorbed[name]
		if by != nil {
			f.taken = f.own == nil && by.source.(*segmentFile).hasTaken(f)
			if !f.taken {
				by.doubt = fileError(by.path, defectf(ReasonCorrupt, "it says that it has taken up %s, whose writer lives or is younger", name))
				by.doubt.counts = true
			}
		}
		if _, python := f.source.(*pythonFile); python {
			f.ignored = f.taken
		}
	}
	m.group = group{epoch: m.epochOf(segments)}
	originals := originalsOf(segments)
	for _, f := range segments {
		s := f.source.(*segmentFile)
		h := s.header()
		ignored := f.taken
		if original := originals[originalKey{h.Kind, h.ID}]; f.own == nil && f.err == nil && !ignored && original.path != f.path {
			ignored = true
			f.misfit = fileError(f.path, defectf(ReasonCopy, "it is the segment of the same writer as %s", spool.Quote(original.path)))
		}
		if f.err == nil && !ignored && h.Epoch != m.group.epoch {
			if ignored = true; s.live() || m.given {
				f.misfit = fileError(f.path, defectf(ReasonEpoch, "its epoch is %q, not %q", h.Epoch, m.group.epoch))
			}
		}
		switch f.ignored = ignored; {
		case ignored, f.err != nil:
		case s.isArchive():
			m.group.generation = max(m.group.generation, h.Generation)
		case s.live():
			m.group.live++
		default:
			m.group.dead++
		}
	}
}

// originalKey tells segments apart that are no copies of each other: writers by their
// IDs, and archives.
type originalKey struct {
	kind segment.Kind
	id   [16]byte
}

// originalsOf returns one segment of each writer. In a directory each has one name
// that fits; files that are given by hand may be copies, and then the one with that
// name counts, or else the first.
func originalsOf(segments []*file) map[originalKey]*file {
	originals := make(map[originalKey]*file, len(segments))
	for _, f := range segments {
		if f.err != nil {
			continue
		}
		h := f.source.(*segmentFile).header()
		name := spool.Parse(filepath.Base(f.path))
		key := originalKey{h.Kind, h.ID}
		if originals[key] == nil || name.Kind() == spool.Writer && spool.Fits(name, h) == nil {
			originals[key] = f
		}
	}
	return originals
}

// hasTaken reports whether the archive has really taken up a file that it names.
func (a *segmentFile) hasTaken(f *file) bool {
	switch s := f.source.(type) {
	case *segmentFile:
		return f.err != nil || spool.Taken(a.header(), s.header(), s.live())
	case *pythonFile:
		return spool.Parse(filepath.Base(f.path)).Kind() == spool.Aside
	}
	return false
}

// epochOf returns the epoch that was asked for, or that of the writer that
// started last among the live ones, or else among all.
func (m *merger) epochOf(segments []*file) (epoch string) {
	if m.wantedEpoch != nil {
		return *m.wantedEpoch
	}
	var newest *segmentFile
	for _, f := range segments {
		s := f.source.(*segmentFile)
		switch {
		case f.err != nil, f.taken:
		case newest == nil, s.live() && !newest.live(), s.live() == newest.live() && s.header().Start > newest.header().Start:
			newest, epoch = s, s.header().Epoch
		}
	}
	return epoch
}

// expired reports whether rows are what processes that are long dead have left of
// gauges that each process has. Archives note when a process was found dead.
func (m *merger) expired(r *familyRows, since int64) bool {
	return r.op == opSet && r.file.isArchive() && time.Duration(m.now-since) > m.expiry
}
