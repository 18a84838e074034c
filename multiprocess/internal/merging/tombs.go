package merging

import (
	"time"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/segsource"
	"telltale/multiprocess/internal/spool"
)

// bury surveys the files if one of them changed, and leaves out what writers have removed
// of what others left: all of it if a file changed, else what was removed since the last
// time.
func (m *merger) bury(now time.Time) error {
	removed, err := m.askAnew(now)
	if err != nil || !removed && !m.changed {
		return err
	}
	if m.changed {
		m.survey()
	}
	again := m.changed
	tombs := make(map[*spool.Dir]*spool.Tombs) // one directory has nothing to do with another
	for _, f := range m.files {
		s, ok := f.segment()
		if !ok || f.taken {
			continue
		}
		of := tombs[f.Dir]
		if of == nil {
			of = spool.NewTombs()
			tombs[f.Dir] = of
		}
		if s.IsArchive() {
			if again {
				of.Carry(s.Carried())
			}
			continue
		}
		if again {
			f.buried = 0
		}
		of.Add(segment.OriginOf(s.Header()), s.Removed(f.buried))
		f.buried = s.Buried()
	}
	for _, f := range m.files {
		s, ok := f.segment()
		if !ok || tombs[f.Dir] == nil {
			continue
		}
		if again {
			s.Show()
		}
		if s.Hide(tombs[f.Dir]) {
			m.changed = true
		}
	}
	return nil
}

// segment returns a file as a segment if it is one that can be read.
func (f *file) segment() (s *segsource.File, ok bool) {
	s, ok = f.source.(*segsource.File)
	return s, ok && f.err == nil
}

// askAnew asks anew of writers whether they live that are taken to live, and that may have
// been dead when others removed something since the last collection. It reports whether
// anybody did.
func (m *merger) askAnew(now time.Time) (removed bool, err error) {
	if !m.removed {
		return false, nil
	}
	newest := make(map[string]int64) // by epoch
	for _, f := range m.files {
		if s, ok := f.segment(); ok && !s.IsArchive() {
			if until := s.Buried(); until != f.buried {
				newest[s.Header().Epoch] = max(newest[s.Header().Epoch], until)
			}
		}
	}
	for epoch, when := range newest {
		for _, f := range m.files {
			if s, ok := f.segment(); !ok || !s.AskAnew(epoch, when) {
				continue
			}
			if err := m.updateFile(f, now); err != nil {
				return false, err
			}
		}
	}
	return len(newest) > 0, nil
}
