package multiprocess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// merger reads files and merges them. It is not safe for concurrent use.
type merger struct {
	dir     *spool.Dir  // of the files; nil if they were given by hand
	hook    mapped.Hook // passed by operations on files given by hand
	catalog *catalog
	python  pythonKinds
	files   []*file // in the order that settles conflicts
	limits  limits
	given   bool   // by hand: nothing is left out silently
	buffer  []byte // a file that is not mapped, while it is read
	ramps   map[int][]uint32

	wantedEpoch *string       // nil for the newest one's
	expiry      time.Duration // of a dead process's own gauges
	now         int64         // in nanoseconds since 1970, while values are read
	group       group

	gone    map[spool.Name]bool // files that the last collection had, by the names that they had first
	changed bool                // definitions are others than at the last settle
	spent   int                 // definitions that were read and are no longer needed
	told    map[conflictKey]bool
	reports []error // for the error hook
}

// limits bound what stays mapped.
type limits struct {
	files, maxFiles int
	bytes, maxBytes int64
}

func (l *limits) allow(size int64) bool {
	return mapped.Supported && l.files < l.maxFiles && l.bytes+size <= l.maxBytes
}

// place is where a source is: at a path, or in this process's memory.
type place struct {
	path string
	name spool.Name    // in its directory; the zero Name if it has none
	dir  *spool.Dir    // of which Merge was given the path; else it is the merger's
	own  segment.Space // nil for a file
}

// file is a place in the directory, whatever is there.
type file struct {
	place
	source   source     // nil if the name is nobody's
	err      *FileError // why it was left out last time
	told     Reason     // what the error hook was told last
	ignored  bool       // nothing is wrong with it, but it does not count
	included bool       // the last collection had it
	broken   breakage   // why it could not be read at the last update
	taken    bool       // an archive has taken it up
	misfit   *FileError // why it is left out though it can be read
	doubt    *FileError // what is wrong with it though it counts
}

// breakage is what is remembered of a file that cannot be read, so that thousands of
// them need not be opened at each collection.
type breakage struct {
	err   *FileError // nil if it could be read
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

func newMerger(s *settings, dir *spool.Dir) *merger {
	return &merger{
		dir: dir, hook: s.files,
		catalog: newCatalog(), python: make(pythonKinds), limits: s.limits, wantedEpoch: s.epoch, expiry: s.expiry,
		told: make(map[conflictKey]bool), ramps: make(map[int][]uint32),
	}
}

// open makes a file of a place, of the kind that its name tells. Nothing is read
// before update.
func (m *merger) open(at place) *file {
	f := &file{place: at}
	var err error
	if f.source, err = m.sourceOf(at); err != nil {
		f.err = fileError(at.path, err)
	}
	return f
}

func (m *merger) sourceOf(at place) (source, error) {
	name, single := at.name.String(), m.single(at)
	if single {
		name = filepath.Base(at.path)
	}
	switch kind := at.name.Kind(); {
	case at.own != nil, kind == spool.Writer, kind == spool.Archive, single && strings.HasSuffix(name, spool.SegmentSuffix):
		return &segmentFile{merger: m, place: at}, nil
	case kind == spool.Foreign && strings.HasSuffix(name, spool.SegmentSuffix):
		return nil, defectf(ReasonName, "its name is neither writer-{32 hexadecimal digits}.seg nor archive.seg")
	}
	kind, pid, err := parsePythonName(name)
	if err == nil && !single && at.name.Kind() == spool.Foreign {
		err = defectf(ReasonName, "its name has characters that cannot be printed")
	}
	if err != nil {
		return nil, err
	}
	return &pythonFile{merger: m, kind: m.python.kind(kind), place: at, pid: pid}, nil
}

// openFile opens the file at a place, if it is a regular one.
func (m *merger) openFile(at place) (*mapped.File, error) {
	switch {
	case m.single(at):
		return mapped.Open(at.path, m.hook)
	case at.dir != nil:
		return at.dir.Read(at.name)
	}
	return m.dir.Read(at.name)
}

// single reports whether a place is a file that was given by hand: then it may have
// any name, and links are followed.
func (m *merger) single(at place) bool { return m.given && at.dir == nil }

// close lets go of a file.
func (m *merger) close(f *file) {
	if f.source != nil {
		n, _ := f.source.size()
		m.spent += n
		m.changed = m.changed || n > 0 || f.err == nil
		f.source.close()
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
	now := time.Now()
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
	}
	changed := m.changed
	if changed {
		m.gather()
	}
	for _, f := range m.files {
		switch {
		case f.taken:
			f.err = nil // such as that it was deleted since it was listed
		case f.misfit != nil:
			f.err = f.misfit
		}
	}
	if changed {
		m.settle()
	}
	return nil
}

// updateFile reads what is new in a file.
func (m *merger) updateFile(f *file, now time.Time) error {
	before := f.broken
	var info mapped.Info
	if before.err != nil && !m.given {
		info, _ = m.dir.Stat(f.name) // zero if it is gone
		if info == before.info && info != (mapped.Info{}) && now.Before(before.again) && !m.missed(f, before.err) {
			f.err = before.err
			return nil
		}
	}
	f.err, f.broken = nil, breakage{}
	changed, err := f.source.update()
	m.changed = m.changed || changed || (before.err != nil) != (err != nil)
	if err == nil {
		return nil
	}
	f.err = fileError(f.path, err)
	f.broken = breakage{err: f.err, since: now}
	if before.err != nil {
		f.broken.since = before.since
	}
	if unavailable(err) && !errors.Is(err, fs.ErrPermission) {
		info = mapped.Info{} // the next time it may be otherwise
	}
	if f.err.Reason != ReasonEmpty || now.Sub(f.broken.since) > emptyGrace {
		f.broken.info, f.broken.again = info, now.Add(retryBroken)
	}
	if m.missed(f, err) {
		return fmt.Errorf("multiprocess: %s, which has what was part of the page before, cannot be read: %w", spool.Quote(f.path), err)
	}
	return nil
}

// missed reports whether an error keeps from the page what an earlier one had, and
// what may be whole.
func (m *merger) missed(f *file, err error) bool {
	return (f.included || m.inherits(f)) && !f.taken && unavailable(err)
}

// inherits reports whether a file may have what was in files that the last
// collection had and that are gone: they were taken up by an archive, or one of
// Python's was renamed.
func (m *merger) inherits(f *file) bool {
	if f.name.Kind() == spool.Archive {
		return len(m.gone) > 0
	}
	return m.gone[f.name.Original()]
}

// lose lets go of a file that is gone.
func (m *merger) lose(f *file) {
	if f.included && !f.source.passing() {
		if m.gone == nil {
			m.gone = make(map[spool.Name]bool)
		}
		m.gone[f.name.Original()] = true
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
	m.catalog.settle(sources)
	m.changed = false
	for _, key := range m.catalog.disagreements() {
		if !m.told[key] {
			m.reports = append(m.reports, m.catalog.conflicts[key])
		}
	}
	clear(m.told)
	for key := range m.catalog.conflicts {
		m.told[key] = true
	}
}

// counts reports whether a file's contents are merged.
func (f *file) counts() bool { return f.err == nil && !f.ignored && f.source != nil }

// sources returns the files that count, those first whose word does.
func (m *merger) sources() []source {
	sources := make([]source, 0, len(m.files))
	for _, f := range m.files {
		if f.counts() {
			sources = append(sources, f.source)
		}
	}
	slices.SortStableFunc(sources, func(a, b source) int {
		x, y := a.standing(), b.standing()
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(y.start, x.start))
	})
	return sources
}

// read merges the values of all files, of all families or the wanted ones. Files
// that turn out to be unreadable are left out, and the rest is read again:
// nothing of them remains.
func (m *merger) read(ctx context.Context, t *totals, wanted *selection) error {
	m.now = time.Now().UnixNano()
	for {
		t.start(m.catalog)
		spoilt := false
		for i, f := range m.files {
			if i%128 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if !f.counts() {
				continue
			}
			if err := f.source.read(t, wanted); err != nil {
				n, _ := f.source.size()
				m.spent += n
				f.source.reset()
				f.err = fileError(f.path, err)
				spoilt = true
			}
		}
		if !spoilt {
			t.finish()
			return nil
		}
		m.settle()
		if wanted != nil {
			wanted.runs = make(map[*binding][]run)
		}
	}
}

// spare is how many definitions may be kept for nothing.
const spare = 1 << 16

// tidy forgets everything that was read, once more was read in vain, or by files
// that are gone, than the present files have. The next update reads them again.
func (m *merger) tidy() {
	if m.spent <= spare {
		return
	}
	used := 0
	for _, f := range m.files {
		if f.source != nil {
			n, _ := f.source.size()
			used += n
		}
	}
	if m.spent <= spare+2*used {
		return
	}
	m.spent, m.catalog, m.python = 0, newCatalog(), make(pythonKinds)
	for _, f := range m.files {
		if f.source == nil {
			continue
		}
		f.source.close()
		f.source, _ = m.sourceOf(f.place) // as it was made before
	}
	m.changed = true
}

// failures returns what is wrong with the files that were left out, and where the
// others disagree so that samples are.
func (m *merger) failures() error {
	var errs []error
	for _, f := range m.files {
		if f.err != nil {
			errs = append(errs, f.err)
		}
	}
	for _, key := range m.catalog.disagreements() {
		if e := m.catalog.conflicts[key]; e.Lost {
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}

// fillStats adds what the merger knows.
func (m *merger) fillStats(s *Stats) {
	s.Files, s.Python, s.Bytes = 0, 0, 0
	s.Skipped = make(map[Reason]int)
	for _, f := range m.files {
		switch {
		case f.err != nil:
			s.Skipped[f.err.Reason]++
		case f.counts():
			_, bytes := f.source.size()
			s.Files++
			s.Bytes += bytes
			if _, ok := f.source.(*pythonFile); ok {
				s.Python++
			}
		}
	}
	s.Families, s.Series = len(m.catalog.present), m.catalog.count()
	s.Conflicts, s.Collisions = len(m.catalog.conflicts), m.catalog.collisions()
	s.MappedFiles, s.MappedBytes = m.limits.files, m.limits.bytes
	s.Live, s.Dead, s.Epoch, s.Generation = m.group.live, m.group.dead, m.group.epoch, m.group.generation
}

// ramp returns the offsets of n values that lie one after the other.
func (m *merger) ramp(n, width int) []uint32 {
	ramp := m.ramps[width]
	for len(ramp) < n {
		ramp = append(ramp, uint32(len(ramp)*width))
	}
	m.ramps[width] = ramp
	return ramp[:n]
}

// room returns the buffer with at least n bytes and what it has, aligned as
// atomic loads need it.
func (m *merger) room(n int) []byte {
	if len(m.buffer) < n {
		grown := bytesOf(make([]uint64, (n+7)/8))
		copy(grown, m.buffer)
		m.buffer = grown
	}
	return m.buffer
}
