package multiprocess

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// merger reads files and merges them. It is not safe for concurrent use.
type merger struct {
	catalog *catalog
	python  pythonKinds
	files   []*file // in the order that settles conflicts
	limits  limits
	given   bool   // files were given by hand: links are followed, and nothing is left out silently
	buffer  []byte // a file that is not mapped, while it is read
	ramps   map[int][]uint32

	wantedEpoch *string       // nil for the newest one's
	expiry      time.Duration // of a dead process's own gauges
	now         int64         // in nanoseconds since 1970, while values are read
	group       group

	changed bool // definitions are others than at the last settle
	spent   int  // definitions that were read and are no longer needed
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
	own  segment.Space // nil for a file
}

// file is a place in the directory, whatever is there.
type file struct {
	place
	source  source     // nil if the name is nobody's
	err     *FileError // why it was left out last time
	told    Reason     // what the error hook was told last
	ignored bool       // nothing is wrong with it, but it does not count
	broken  bool       // it could not be read at the last update
	taken   bool       // an archive has taken it up
	misfit  *FileError // why it is left out though it can be read
}

func newMerger(s *settings) *merger {
	return &merger{
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
	name := filepath.Base(at.path)
	if at.own != nil {
		return &segmentFile{merger: m, place: at}, nil
	}
	if strings.HasSuffix(name, segmentSuffix) {
		if !m.given && !isWriterName(name) && name != archiveName {
			return nil, defectf(ReasonName, "its name is neither writer-{id}.seg nor archive.seg")
		}
		return &segmentFile{merger: m, place: at}, nil
	}
	kind, pid, err := parsePythonName(name)
	if err != nil {
		return nil, err
	}
	return &pythonFile{merger: m, kind: m.python.kind(kind), path: at.path, pid: pid}, nil
}

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
// they define. What is wrong with a file stays with it.
func (m *merger) update(ctx context.Context) error {
	for i, f := range m.files {
		if i%128 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if f.source == nil {
			continue
		}
		f.err = nil
		changed, err := f.source.update()
		m.changed = m.changed || changed || f.broken != (err != nil)
		f.broken = err != nil
		if err != nil {
			f.err = fileError(f.path, err)
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

// tell puts what is wrong with files among the reports, once until it is
// otherwise.
func (m *merger) tell() {
	for _, f := range m.files {
		switch {
		case f.err == nil:
			f.told = ""
		case f.told != f.err.Reason:
			f.told = f.err.Reason
			m.reports = append(m.reports, f.err)
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
