package merging

import (
	"time"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/segsource"
	"telltale/multiprocess/internal/spool"
)

// bury surveys the files if one of them changed, and leaves out the series that writers
// have removed of what other, dead writers left: all removals if a file changed, else
// those since the last call.
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

// removing is for how long a writer that replaces series may stand still between the time
// of their removal and the words that show it.
const removing = int64(time.Second)

// askAnew has the next update ask writers anew whether they live, if they are only
// taken to live and may have been dead when others removed something since the last
// collection. Segments whose writers removed something are read again, since they may
// have replaced series while they were read: the series that take the place of others
// are in words that were read before the tombstones. It reports whether any writer has
// removed something.
func (m *merger) askAnew(now time.Time) (removed bool, err error) {
	if !m.removed {
		return false, nil
	}
	newest := make(map[string]int64) // by epoch
	again := make(map[*file]bool)
	for _, f := range m.files {
		if s, ok := f.segment(); ok && !s.IsArchive() {
			if until := s.Buried(); until != f.buried {
				newest[s.Header().Epoch] = max(newest[s.Header().Epoch], until)
				again[f] = s.Live() && until > m.began-removing
			}
		}
	}
	for epoch, when := range newest {
		for _, f := range m.files {
			if s, ok := f.segment(); ok && s.AskAnew(epoch, when) {
				again[f] = true
			}
		}
	}
	for _, f := range m.files {
		if !again[f] {
			continue
		}
		if err := m.updateFile(f, now); err != nil {
			return false, err
		}
	}
	return len(newest) > 0, nil
}
