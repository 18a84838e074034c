package merging

import (
	"path/filepath"

	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/segsource"
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
		if s, ok := f.source.(*segsource.File); ok {
			segments = append(segments, f)
			for _, name := range s.TakenUp {
				absorbed[name.String()] = f
			}
		}
	}
	for _, f := range m.files {
		name := filepath.Base(f.Path)
		if s, ok := f.source.(*segsource.File); ok && f.err == nil {
			if s.IsArchive() {
				continue // none takes up another, whatever it says
			}
			name = spool.WriterName(s.Header().ID).String() // whatever it is called, where files are given by hand
		}
		by := absorbed[name]
		if by != nil {
			f.taken = f.Own == nil && hasTaken(by, f)
			if !f.taken {
				by.doubt = spool.NewDoubt(by.Path, spool.Defectf(spool.ReasonCorrupt, "it says that it has taken up %s, whose writer lives or is younger", name))
			}
		}
		if _, python := f.source.(*python.File); python {
			f.ignored = f.taken
		}
	}
	m.group = group{epoch: m.epochOf(segments)}
	originals := originalsOf(segments)
	for _, f := range segments {
		s := f.source.(*segsource.File)
		h := s.Header()
		ignored := f.taken
		if original := originals[originalKey{h.Kind, h.ID}]; f.Own == nil && f.err == nil && !ignored && original.Path != f.Path {
			ignored = true
			f.misfit = spool.NewFileError(f.Path, spool.Defectf(spool.ReasonCopy, "it is the segment of the same writer as %s", spool.Quote(original.Path)))
		}
		if f.err == nil && !ignored && h.Epoch != m.group.epoch {
			if ignored = true; s.Live() || m.Given {
				f.misfit = spool.NewFileError(f.Path, spool.Defectf(spool.ReasonEpoch, "its epoch is %q, not %q", h.Epoch, m.group.epoch))
			}
		}
		switch f.ignored = ignored; {
		case ignored, f.err != nil:
		case s.IsArchive():
			m.group.generation = max(m.group.generation, h.Generation)
		case s.Live():
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
		h := f.source.(*segsource.File).Header()
		name := spool.Parse(filepath.Base(f.Path))
		key := originalKey{h.Kind, h.ID}
		if originals[key] == nil || name.Kind() == spool.Writer && spool.Fits(name, h) == nil {
			originals[key] = f
		}
	}
	return originals
}

// epochOf returns the epoch that was asked for, or that of the writer that
// started last among the live ones, or else among all.
func (m *merger) epochOf(segments []*file) (epoch string) {
	if m.wantedEpoch != nil {
		return *m.wantedEpoch
	}
	var newest *segsource.File
	for _, f := range segments {
		s := f.source.(*segsource.File)
		switch {
		case f.err != nil, f.taken:
		case newest == nil, s.Live() && !newest.Live(), s.Live() == newest.Live() && s.Header().Start > newest.Header().Start:
			newest, epoch = s, s.Header().Epoch
		}
	}
	return epoch
}

// hasTaken reports whether an archive has really taken up a file that it names.
func hasTaken(archive, f *file) bool {
	switch s := f.source.(type) {
	case *segsource.File:
		return f.err != nil || archive.source.(*segsource.File).HasTaken(s)
	case *python.File:
		return spool.Parse(filepath.Base(f.Path)).Kind() == spool.Aside
	}
	return false
}
