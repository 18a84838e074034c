package fold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// surveyed is what a fold has found out about the directory's segments.
type surveyed struct {
	*spool.Survey
	seen []spool.Seen // of each segment; the archive, if there is one, is the first
	sure bool         // no writer may live that cannot be read, and be of any epoch
}

// survey finds out which segments there are, which of their writers are dead, and
// what becomes of each, by the rules of [spool.NewSurvey]. It reports those that are
// left alone.
func (f *folding) survey(ctx context.Context, names []spool.Name, archive *segment.Header) (s *surveyed, err error) {
	s = &surveyed{sure: true}
	if archive != nil {
		taken := spool.Take(f.absorbed)
		s.seen = append(s.seen, spool.Seen{Name: spool.ArchiveName, Header: archive, Taken: &taken})
	}
	failed := make(map[spool.Name]error)
	for i, name := range names {
		if i%128 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if name.Claimed() && strings.HasSuffix(name.String(), spool.SegmentSuffix) {
			f.leave(name, spool.ReasonName, "its name is none that a writer gives")
		}
		if name.Kind() != spool.Writer {
			continue
		}
		w, err := f.dir.Look(name)
		switch {
		case noDescriptors(err):
			return nil, err
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			failed[name], w.Header = err, nil
		}
		s.seen = append(s.seen, w)
	}
	s.Survey = spool.NewSurvey(s.seen, f.Epoch, f.clock.On())
	for i := range s.seen {
		w := &s.seen[i]
		switch verdict := s.Verdicts[i]; {
		case verdict == spool.TakenUp:
		case verdict == spool.Unread:
			s.sure = s.sure && !w.Live
			f.leaveUnread(w.Name, failed[w.Name])
		case w.Live:
			f.leave(w.Name, spool.ReasonAlive, "it is locked by its writer")
		}
	}
	return s, nil
}

// dead returns the dead writers' segments of a verdict.
func (s *surveyed) dead(verdict spool.Verdict) (found []spool.Seen) {
	for i := range s.seen {
		if w := &s.seen[i]; w.Name.Kind() == spool.Writer && !w.Live && s.Verdicts[i] == verdict {
			found = append(found, *w)
		}
	}
	return found
}

// begunWith notes what the survey settles for the next archive, and makes what the
// present one has part of what remains.
func (f *folding) begunWith(s *surveyed, e *estate.Estate, archive *segment.Header) error {
	if err := s.CheckService(f.Service); err != nil {
		return err
	}
	if f.isHere = s.IsHere; s.Newest != nil {
		f.newest = *s.Newest
	}
	f.report.Epoch, f.first, f.service = s.Epoch, s.First, cmp.Or(s.Service, f.Service)
	if archive == nil {
		return nil
	}
	f.verdict = s.Verdicts[0]
	if f.verdict == spool.Over && !s.sure {
		return fmt.Errorf("%s is of epoch %q, and this epoch may not be over: a writer that cannot be read may belong to it", spool.ArchiveName, archive.Epoch)
	}
	f.inherit(e, archive)
	return nil
}

// inherit makes what the archive has part of what remains, as far as the epoch that
// counts keeps it.
func (f *folding) inherit(e *estate.Estate, archive *segment.Header) {
	if archive == nil {
		return
	}
	e.Local(f.clock.On(), archive)
	if !f.isHere(archive) {
		e.DropMachine()
	}
	switch f.verdict {
	case spool.Over:
		e.KeepUnnamed()
	case spool.Unnamed:
		e.Unname()
	}
	f.remains.Add(e)
	f.start = archive.Start
}
