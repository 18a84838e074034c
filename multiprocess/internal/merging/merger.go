package merging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/segsource"
	"telltale/multiprocess/internal/spool"
)

// merger reads files and merges them. It is not safe for concurrent use.
type merger struct {
	spool.Reading
	catalog  *catalog.Catalog
	python   *python.Files
	segments *segsource.Files
	files    []*file // in the order that settles conflicts
	lives    catalog.Lives

	wantedEpoch *string       // nil for the one that [spool.NewSurvey] finds
	service     string        // whose directory it has to be; empty if any
	surveyed    *spool.Survey // the last one

	gone    map[spool.Name]bool // files that the last collection had, by the names that they had first
	changed bool                // definitions are others than at the last settle
	removed bool                // writers have removed more than at the last update
	began   int64               // when the last update began, by the boot's clock
	told    map[catalog.ConflictKey]bool
	reports []error // for the error hook
}

// file is a place in the directory, whatever is there.
type file struct {
	spool.Place
	source   catalog.Source   // nil if the name is none that a writer gives
	err      *spool.FileError // why it was left out last time
	told     spool.Reason     // what the error hook was told last
	ignored  bool             // nothing is wrong with it, but it does not count
	included bool             // the last collection had it
	broken   breakage         // why it could not be read at the last update
	taken    bool             // an archive has taken it up
	misfit   *spool.FileError // why it is left out though it can be read
	doubt    *spool.FileError // what is wrong with it though it counts
	buried   int64            // the time of the newest of its tombstones that others were told of
}

// breakage is what is remembered of a file that cannot be read, so that thousands of
// them need not be opened at each collection.
type breakage struct {
	err   *spool.FileError // nil if it could be read
	since time.Time
	info  mapped.Info // before it was read the last time; zero if that is not known
	again time.Time   // when it is read again even if it seems to be the same
}

const (
	// retryBroken is how long a file that cannot be read and does not change is left
	// alone.
	retryBroken = 10 * time.Second
	// emptyGrace is how long a file without contents is read at each collection: a
	// writer that has just made it may fill it through a mapping, which its times do
	// not show.
	emptyGrace = 2 * time.Second
)

func newMerger(s *Settings, dir *spool.Dir) *merger {
	m := &merger{
		Reading: spool.Reading{Dir: dir, Hook: s.Files, Limits: s.Limits, MaxRead: s.MaxRead, Age: s.Age},
		catalog: catalog.New(), surveyed: &spool.Survey{}, wantedEpoch: s.Epoch, service: s.Service, told: make(map[catalog.ConflictKey]bool),
	}
	m.python, m.segments = python.NewFiles(&m.Reading), segsource.NewFiles(&m.Reading, s.Expiry)
	return m
}

// open makes a file of a place, of the kind that its name tells. Nothing is read
// before update.
func (m *merger) open(at spool.Place) *file {
	f := &file{Place: at}
	var err error
	if f.source, err = m.sourceOf(at); err != nil {
		f.err = spool.NewFileError(at.Path, err)
	}
	return f
}

func (m *merger) sourceOf(at spool.Place) (catalog.Source, error) {
	switch kind := m.KindOf(at); {
	case kind == spool.Writer, kind == spool.Archive:
		return m.segments.File(at), nil
	case kind == spool.Foreign && strings.HasSuffix(at.Name.String(), spool.SegmentSuffix):
		return nil, spool.Defectf(spool.ReasonName, "its name is neither writer-{32 hexadecimal digits}.seg nor archive.seg")
	}
	file, err := m.python.File(at)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// close lets go of a file.
func (m *merger) close(f *file) {
	if f.source != nil {
		n, _ := f.source.Size()
		m.catalog.Spent += n
		m.changed = m.changed || n > 0 || f.err == nil
		f.source.Close()
	}
}

// release lets go of all files.
func (m *merger) release() {
	for _, f := range m.files {
		m.close(f)
	}
	m.files = nil
}

// update reads what is new in all files, chooses those that count and settles what
// they define. What is wrong with a file stays with it. It is an error if a file
// that the last collection had cannot be read and may be whole.
func (m *merger) update(ctx context.Context) error {
	now := m.Begin()
	m.segments.At(spool.Now())
	m.removed, m.began = false, spool.Monotonic()
	for i, f := range m.files {
		if i%128 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if f.source == nil {
			continue
		}
		if err := m.updateFile(f, now); err != nil {
			return err
		}
		if s, ok := f.segment(); ok && s.Buried() != f.buried {
			m.removed = true
		}
	}
	if err := m.bury(now); err != nil {
		return err
	}
	for _, f := range m.files {
		switch {
		case f.taken:
			f.err = nil // such as that it was deleted since it was listed
		case f.misfit != nil:
			f.err = f.misfit
		}
	}
	if err := m.surveyed.CheckService(m.service); err != nil {
		return fmt.Errorf("multiprocess: %s: %w", m.Dir.Path(), err)
	}
	if m.changed {
		m.settle()
	}
	return nil
}

// updateFile reads what is new in a file.
func (m *merger) updateFile(f *file, now time.Time) error {
	before := f.broken
	var info mapped.Info
	if before.err != nil && !m.Given {
		info, _ = m.Stat(f.Place) // zero if it is gone
		if info == before.info && info != (mapped.Info{}) && now.Before(before.again) && !m.missed(f, before.err) {
			f.err = before.err
			return nil
		}
	}
	f.err, f.broken = nil, breakage{}
	_, used := f.source.Size()
	changed, err := f.source.Update(m.catalog)
	m.changed = m.changed || changed || (before.err != nil) != (err != nil)
	if err == nil {
		return nil
	}
	f.err = m.fileError(f, used, err)
	f.broken = breakage{err: f.err, since: now}
	if before.err != nil {
		f.broken.since = before.since
	}
	if spool.Unavailable(err) && !errors.Is(err, fs.ErrPermission) || errors.Is(err, mapped.ErrCut) || errors.Is(err, mapped.ErrFault) {
		info = mapped.Info{} // the next time it may be otherwise
	}
	if f.err.Reason != spool.ReasonEmpty || now.Sub(f.broken.since) > emptyGrace {
		f.broken.info, f.broken.again = info, now.Add(retryBroken)
	}
	return m.missing(f, err)
}

// fileError returns an error met with a file, of which so many bytes were in use before.
func (m *merger) fileError(f *file, used int64, err error) *spool.FileError {
	if f.Own == nil {
		err = spool.Cut(err, used, func() (mapped.Info, error) {
			file, err := m.Open(f.Place)
			if err != nil {
				return mapped.Info{}, err
			}
			defer file.Close()
			return file.Stat()
		})
	}
	return spool.NewFileError(f.Path, err)
}

// missing returns an error if an error met with a file keeps from the page what an earlier
// one had, and what may be whole.
func (m *merger) missing(f *file, err error) error {
	if !m.missed(f, err) {
		return nil
	}
	return fmt.Errorf("multiprocess: %s, which has what was part of the page before, cannot be read: %w", spool.Quote(f.Path), err)
}

// missed reports whether an error keeps from the page what an earlier one had, and
// what may be whole.
func (m *merger) missed(f *file, err error) bool {
	return (f.included || m.inherits(f)) && !f.taken && spool.Unavailable(err)
}

// inherits reports whether a file may have what was in files that the last
// collection had and that are gone: they were taken up by an archive, or one of
// Python's was renamed.
func (m *merger) inherits(f *file) bool {
	if f.Name.Kind() == spool.Archive {
		return len(m.gone) > 0
	}
	return m.gone[f.Name.Original()]
}

// lose lets go of a file that is gone.
func (m *merger) lose(f *file) {
	if f.included && !f.source.Passing() {
		if m.gone == nil {
			m.gone = make(map[spool.Name]bool)
		}
		m.gone[f.Name.Original()] = true
	}
	m.close(f)
}

// include takes note of the files that a collection had.
func (m *merger) include() {
	m.gone = nil
	for _, f := range m.files {
		f.included = f.counts()
	}
}

// tell puts what is wrong with files among the reports, once until it is
// otherwise.
func (m *merger) tell() {
	for _, f := range m.files {
		wrong := f.err
		if wrong == nil {
			wrong = f.doubt
		}
		switch {
		case wrong == nil:
			f.told = ""
		case f.told != wrong.Reason:
			f.told = wrong.Reason
			m.reports = append(m.reports, wrong)
		}
	}
}

// settle works out families, series and slots.
func (m *merger) settle() {
	sources := m.sources()
	m.catalog.Settle(sources)
	m.changed = false
	for _, key := range m.catalog.Disagreements() {
		if !m.told[key] {
			m.reports = append(m.reports, m.catalog.Conflicts[key])
		}
	}
	clear(m.told)
	for key := range m.catalog.Conflicts {
		m.told[key] = true
	}
}

// counts reports whether a file's contents are merged.
func (f *file) counts() bool { return f.err == nil && !f.ignored && f.source != nil }

// sources returns the files that count, those first whose word does.
func (m *merger) sources() []catalog.Source {
	sources := make([]catalog.Source, 0, len(m.files))
	for _, f := range m.files {
		if f.counts() {
			sources = append(sources, f.source)
		}
	}
	slices.SortStableFunc(sources, func(a, b catalog.Source) int {
		x, y := a.Standing(), b.Standing()
		return cmp.Or(cmp.Compare(x.Rank, y.Rank), cmp.Compare(y.Start, x.Start))
	})
	return sources
}

// read merges the values of all files, of all families or the wanted ones. Files
// that turn out to be unreadable are left out, and the rest is read again:
// nothing of them remains. An error that is [segment.ErrReplaced] asks for another
// update.
func (m *merger) read(ctx context.Context, t *catalog.Totals, wanted *catalog.Selection) error {
	now := spool.Now()
	m.segments.At(now)
	for {
		t.Start(m.catalog, now.Wall)
		spoilt, err := false, error(nil)
		if m.catalog.HasLives() {
			m.lives.Reset()
			spoilt, err = m.each(ctx, func(s catalog.Source) error { return s.Lives(m.catalog, &m.lives, wanted) })
			t.Live(&m.lives)
		}
		if !spoilt && err == nil {
			spoilt, err = m.each(ctx, func(s catalog.Source) error { return s.Read(t, wanted) })
		}
		if err != nil {
			return err
		}
		if !spoilt {
			t.Finish()
			return m.whole()
		}
		m.settle()
		if wanted != nil {
			wanted.Runs = make(map[*catalog.Binding][]catalog.Run)
		}
	}
}

// each calls read for all files that count. It reports whether some turned out to be
// unreadable, which are left out from then on.
func (m *merger) each(ctx context.Context, read func(catalog.Source) error) (spoilt bool, err error) {
	for i, f := range m.files {
		if i%128 == 0 && ctx.Err() != nil {
			return spoilt, ctx.Err()
		}
		if !f.counts() {
			continue
		}
		switch err := read(f.source); {
		case errors.Is(err, segment.ErrReplaced):
			return spoilt, err
		case err != nil:
			if err := m.missing(f, err); err != nil {
				return spoilt, err
			}
			n, used := f.source.Size()
			m.catalog.Spent += n
			f.source.Reset()
			f.err = m.fileError(f, used, err)
			spoilt = true
		}
	}
	return spoilt, nil
}

// whole returns an error, [segment.ErrReplaced], if the reading took so long that what
// was read of series that were replaced meanwhile may be others'.
func (m *merger) whole() error {
	if m.Lasts() < segment.Lasting {
		return nil
	}
	for _, f := range m.files {
		if s, ok := f.segment(); ok && f.counts() {
			if err := s.Whole(); err != nil {
				return err
			}
		}
	}
	return nil
}

// spare is how many definitions may be kept for nothing.
const spare = 1 << 16

// tidy forgets everything that was read, once more was read in vain, or by files
// that are gone, than the present files have. The next update reads them again.
func (m *merger) tidy() {
	if m.catalog.Spent <= spare {
		return
	}
	used := 0
	for _, f := range m.files {
		if f.source != nil {
			n, _ := f.source.Size()
			used += n
		}
	}
	if m.catalog.Spent <= spare+2*used {
		return
	}
	m.catalog = catalog.New()
	m.python.Forget()
	m.segments.Forget()
	for _, f := range m.files {
		if f.source == nil {
			continue
		}
		f.source.Close()
		f.source, _ = m.sourceOf(f.Place) // as it was made before
	}
	m.changed = true
}

// failures returns what is wrong with the files that were left out, and where the
// others disagree so that samples are.
func (m *merger) failures() (errs []error) {
	for _, f := range m.files {
		if f.err != nil {
			errs = append(errs, f.err)
		}
	}
	for _, key := range m.catalog.Disagreements() {
		if e := m.catalog.Conflicts[key]; e.Lost {
			errs = append(errs, e)
		}
	}
	return errs
}

// count counts what the merger has.
func (m *merger) count(s *Tally) {
	s.Files, s.Python, s.Bytes = 0, 0, 0
	s.Skipped = make(map[spool.Reason]int)
	for _, f := range m.files {
		switch {
		case f.err != nil:
			s.Skipped[f.err.Reason]++
		case f.counts():
			_, bytes := f.source.Size()
			s.Files++
			s.Bytes += bytes
			if _, ok := f.source.(*python.File); ok {
				s.Python++
			}
		}
	}
	s.Families, s.Series = len(m.catalog.Present), m.catalog.Count()
	s.Conflicts, s.Collisions = len(m.catalog.Conflicts), m.catalog.Collisions()
	s.MappedFiles, s.MappedBytes = m.Limits.Mapped()
	s.Live, s.Dead, s.Epoch, s.Generation = m.surveyed.Live, m.surveyed.Dead, m.surveyed.Epoch, m.surveyed.Generation
}
