package merging

import (
	"path/filepath"

	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segsource"
	"telltale/multiprocess/internal/spool"
)

// survey finds the files that count, by the rules of [spool.NewSurvey]. Python's files
// count whatever the epoch is, until an archive has taken them up. The outcome is the
// same until a file changes.
func (m *merger) survey() {
	segments := make([]*file, 0, len(m.files))
	seen := make([]spool.Seen, 0, len(m.files))
	for _, f := range m.files {
		f.misfit, f.doubt, f.taken, f.ignored = nil, nil, false, false
		if s, ok := f.source.(*segsource.File); ok {
			segments, seen = append(segments, f), append(seen, f.seen(s))
		}
	}
	clock := spool.Now()
	survey := spool.NewSurvey(seen, m.wantedEpoch, clock)
	for i, f := range segments {
		f.source.(*segsource.File).Stand(survey.Labels[i], survey.Born(i), survey.Here(i))
		m.judge(f, survey, i, segments)
	}
	doubt := func(archive int, name spool.Name, why string) {
		by := segments[archive]
		by.doubt = spool.NewDoubt(by.Path, spool.Defectf(spool.ReasonCorrupt, "it says that it has taken up %s, %s", name, why))
	}
	for archive, name := range survey.Doubts {
		doubt(archive, name, "whose writer lives or is younger")
	}
	for _, f := range m.files {
		if _, ok := f.source.(*python.File); !ok {
			continue
		}
		name := spool.Parse(filepath.Base(f.Path))
		archive, named := survey.TakenBy(name)
		f.taken = named && name.Kind() == spool.Aside
		f.ignored = f.taken
		if named && !f.taken {
			doubt(archive, name, "which it cannot have under this name")
		}
	}
	m.surveyed = survey
}

// seen returns how a segment was found.
func (f *file) seen(s *segsource.File) spool.Seen {
	seen := spool.Seen{Name: f.Name, Live: s.Live(), Own: f.Own != nil}
	if f.Name == (spool.Name{}) && f.Own == nil { // it was given by hand
		seen.Name = spool.Parse(filepath.Base(f.Path))
	}
	if f.err == nil {
		seen.Header, seen.Taken = s.Header(), s.Taken()
	}
	return seen
}

// judge makes a segment count, or leaves it out, as the survey says.
func (m *merger) judge(f *file, survey *spool.Survey, i int, segments []*file) {
	s := f.source.(*segsource.File)
	verdict := survey.Verdicts[i]
	f.ignored = verdict != spool.Counts && verdict != spool.Unread
	misfit := func(reason spool.Reason, format string, args ...any) {
		f.misfit = spool.NewFileError(f.Path, spool.Defectf(reason, format, args...))
	}
	switch verdict {
	case spool.TakenUp:
		f.taken = true
	case spool.Copied:
		misfit(spool.ReasonCopy, "it is the segment of the same writer as %s", spool.Quote(segments[survey.Original[i]].Path))
	case spool.Unnamed:
		misfit(spool.ReasonEpoch, "it has no epoch, and %q counts: its process belongs to that (WithEpoch), or into a directory of its own", survey.Epoch)
	case spool.Superseded, spool.Over:
		if s.Live() || m.Given {
			misfit(spool.ReasonEpoch, "its epoch is %q, not %q", s.Header().Epoch, survey.Epoch)
		}
	case spool.Counts, spool.Unread: // what is wrong with it is known
	}
}
