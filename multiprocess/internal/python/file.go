package python

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"unsafe"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// File is a file written by Python's client. At first it is read and its
// values are kept; from its second update on it is mapped if the limits allow.
type File struct {
	spool.Place
	files *Files
	kind  *kind
	pid   string // of the file's name

	identity mapped.Identity // of what is mapped
	region   mapped.Region
	copied   []uint64 // the values of a file that is not mapped

	plan  *plan // nil while nothing is known
	n     int   // entries read, the first of the plan
	end   int   // where they end
	own   *catalog.Binding
	label string // pid="..."
}

// PID returns what the file's name says of its process.
func (f *File) PID() string { return f.pid }

// Origin implements [catalog.Source].
func (f *File) Origin() string { return f.Path }

// Size implements [catalog.Source].
func (f *File) Size() (definitions int, bytes int64) { return f.n, int64(f.end) }

// Claims implements [catalog.Source].
func (f *File) Claims() []*catalog.Claim {
	if f.plan == nil {
		return nil
	}
	return f.plan.claimsOf(f.n)
}

// Former implements [catalog.Source]. Series stay in a file.
func (f *File) Former() []*catalog.Claim { return nil }

// Update reads entries that are new. What was read before is trusted as long as
// the file's end is where and what it was: entries do not move.
func (f *File) Update(c *catalog.Catalog) (changed bool, err error) {
	had, hadPlan, known := f.n, f.plan, len(f.kind.keys)
	if err = f.load(c); err != nil {
		f.Reset()
	}
	if err != nil || f.n < had { // keys that were read may be in no file any more
		c.Spent += had + len(f.kind.keys) - known
	}
	return f.n != had || f.plan != hadPlan, err
}

func (f *File) load(c *catalog.Catalog) error {
	if f.region.Len() == 0 {
		return f.open(c)
	}
	fits := true
	var err error
	fault := f.region.Guard(func() { fits, err = f.scan(f.region.Bytes(), c) })
	switch {
	case fault != nil:
		return fault
	case fits || err != nil:
		return err
	}
	f.unmap() // it has outgrown the mapping
	return f.open(c)
}

// scan reads what is new in mapped bytes, unless they do not hold all of it.
func (f *File) scan(data []byte, c *catalog.Catalog) (fits bool, err error) {
	used := readUsed(data)
	switch {
	case used > len(data):
		return false, nil
	case used < headerSize:
		return true, checkUsed(used, int64(len(data)))
	case f.plan == nil || used < f.end || !f.same(data):
		return true, f.parse(data, used, c)
	case used == f.end:
		return true, nil
	}
	p, n, err := f.kind.follow(f.plan, f.n, data, f.end, used, c)
	if err == nil {
		f.plan, f.n, f.end = p, n, used
	}
	return true, err
}

// same reports whether the last entry read still is what it was. A file that was
// emptied and written anew under our eyes seldom has the same there.
func (f *File) same(data []byte) bool {
	if f.n == 0 {
		return true
	}
	pos, last := headerSize, f.n-1
	if last > 0 {
		pos = int(f.plan.offsets[last-1]) + f.plan.width
	}
	raw := f.kind.keys[f.plan.keys[last]].raw
	start := pos + lengthSize
	return int(int32(binary.NativeEndian.Uint32(data[pos:]))) == len(raw) && string(data[start:start+len(raw)]) == raw
}

// parse reads a file from its first entry on.
func (f *File) parse(data []byte, used int, c *catalog.Catalog) error {
	had := f.plan
	defer func() {
		if f.plan != had {
			f.own = nil // its slots are those of other entries
		}
	}()
	if used == headerSize {
		f.plan, f.n, f.end = nil, 0, used
		return nil
	}
	p := f.plan
	if p == nil && len(f.kind.plans) > 0 {
		p = f.kind.plans[0]
	}
	if p != nil {
		// Mostly all keys are known, in this order. They prove the layout as
		// well as layoutOf can.
		n, ok := f.kind.match(p, data, used)
		if ok && !chains(data, headerSize, used, valueSize+valueAndTimeSize-p.width) {
			f.plan, f.n, f.end = p, n, used
			return nil
		}
	}
	width, err := layoutOf(data, used)
	if err != nil {
		return err
	}
	if p == nil || p.width != width {
		p = f.kind.plan(width)
	}
	p, n, err := f.kind.follow(p, 0, data, headerSize, used, c)
	if err == nil {
		f.plan, f.n, f.end = p, n, used
	}
	return err
}

// open opens the file, reads it, or maps it if it was there last time too, and
// closes it. Files that come and go between collections are never mapped.
func (f *File) open(c *catalog.Catalog) error {
	file, err := f.files.reading.Open(f.Place)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.end > 0 {
		if done, err := f.mapFile(file, f.end, c); done {
			return err
		}
	}
	return f.copy(file, c)
}

// mapFile maps the file, of which about so much is used, and reads it, or
// reports that it has to be copied.
func (f *File) mapFile(file *mapped.File, used int, c *catalog.Catalog) (done bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return true, err
	}
	size := min(info.Size, spool.MappingFor(used))
	if size < headerSize || info.Allocated < int64(used) || !f.files.reading.Limits.Allow(size) {
		return false, nil
	}
	region, err := file.Map(int(size))
	if err != nil {
		return false, nil
	}
	f.region, f.identity, f.copied = region, info.Identity, nil
	f.files.reading.Limits.Take(size)
	fault := f.region.Guard(func() {
		data := f.region.Bytes()
		used := readUsed(data)
		if done = used <= len(data); !done {
			return
		}
		if err = checkUsed(used, size); err == nil {
			err = f.parse(data, used, c) // all of it: it may be another file than last time
		}
	})
	if done = done || fault != nil; !done {
		f.unmap()
	}
	return done, errors.Join(fault, err)
}

func (f *File) unmap() {
	if n := f.region.Len(); n > 0 {
		f.files.reading.Limits.Release(int64(n))
		f.region.Unmap()
	}
}

const (
	// readAhead is how much of a file is read at once. Most have no more.
	readAhead = 1 << 14
	// large files are mapped at once, so that one that says it is large, and is
	// mostly hole, does not cost its size in memory.
	large = 1 << 22
)

// copy reads the file and keeps its values.
func (f *File) copy(file *mapped.File, c *catalog.Catalog) error {
	data := f.files.reading.Room(readAhead)[:readAhead]
	n, err := file.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if n < headerSize {
		return checkUsed(0, int64(n))
	}
	used := readUsed(data)
	if used > n {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if err := checkUsed(used, info.Size); err != nil {
			return err
		}
		if used > large {
			if done, err := f.mapFile(file, used, c); done {
				return err
			}
		}
		if info.Allocated < int64(used) {
			return f.copySparse(file, used, c)
		}
		if err := f.files.reading.MaxRead.Check(uint64(used)); err != nil {
			return err
		}
		data = f.files.reading.Room(used)[:used]
		if _, err := file.ReadAt(data[n:used], int64(n)); err != nil {
			return err
		}
	}
	if err := checkUsed(used, math.MaxInt64); err != nil {
		return err
	}
	return f.keep(data, used, c)
}

// copySparse is copy of a file with holes, which cost nothing.
func (f *File) copySparse(file *mapped.File, used int, c *catalog.Catalog) (err error) {
	region, err := file.Copy(used)
	if errors.Is(err, mapped.ErrHoles) {
		return spool.Defectf(spool.ReasonSparse, "it says that %d bytes are used, most of which are not there", used)
	}
	if err != nil {
		return err
	}
	defer region.Unmap()
	fault := region.Guard(func() { err = f.keep(region.Bytes(), used, c) })
	return errors.Join(fault, err)
}

// keep reads the entries and keeps their values.
func (f *File) keep(data []byte, used int, c *catalog.Catalog) error {
	if err := f.parse(data[:used], used, c); err != nil {
		return err
	}
	f.copied = f.copied[:0]
	if f.n == 0 {
		return nil
	}
	words := f.stride() / 8
	f.copied = slices.Grow(f.copied, f.n*words)
	for _, offset := range f.plan.offsets[:f.n] {
		for w := range words {
			f.copied = append(f.copied, math.Float64bits(load(unsafe.Pointer(&data[0]), offset+uint32(8*w))))
		}
	}
	return nil
}

// stride returns how far apart copied values lie: times are kept only where they
// are not 0.
func (f *File) stride() int {
	if f.kind.mode.Operation() == catalog.OpLatest {
		return f.plan.width
	}
	return valueSize
}

// binding returns where the file's values go: its own places if some of its
// gauges have a series in each process.
func (f *File) binding() *catalog.Binding {
	for _, cl := range f.Claims() {
		if !cl.Lost && cl.Type == model.Gauge && cl.Family.Mode.PerProcess() {
			if f.own == nil {
				f.own = &catalog.Binding{}
			}
			return f.own
		}
	}
	return &f.plan.shared
}

// Bind implements [catalog.Source].
func (f *File) Bind(c *catalog.Catalog) {
	if f.n == 0 {
		return
	}
	b := f.binding()
	if b == f.own {
		if f.label == "" {
			f.label = string(model.AppendLabel(nil, catalog.PIDLabel, f.pid))
		}
	} else {
		f.own = nil
	}
	f.kind.bind(b, f.plan, f.n, f.label, c)
}

// Mark implements [catalog.Source].
func (f *File) Mark(c *catalog.Catalog) {
	switch {
	case f.n == 0:
	case f.own != nil:
		c.Mark(f.own.Slots[:f.n])
	default:
		p := f.plan
		if p.pass != c.Pass {
			p.pass, p.marked = c.Pass, 0
		}
		if f.n > p.marked {
			c.Mark(p.shared.Slots[p.marked:f.n])
			p.marked = f.n
		}
	}
}

func (f *File) Read(t *catalog.Totals, wanted *catalog.Selection) error {
	if f.n == 0 {
		return nil
	}
	b := f.own
	if b == nil {
		b = &f.plan.shared
	}
	runs := wanted.Of(b)
	if len(runs) == 0 || runs[0].From >= f.n {
		return nil
	}
	if f.region.Len() == 0 {
		stride := f.stride()
		return mergeValues(t, bytesOf(f.copied), f.files.ramp(f.n, stride), stride == valueAndTimeSize, b.Slots, runs)
	}
	timed := f.plan.width == valueAndTimeSize
	var err error
	if fault := f.region.Guard(func() {
		err = mergeValues(t, f.region.Bytes(), f.plan.offsets[:f.n], timed, b.Slots, runs)
	}); fault != nil {
		return fault
	}
	return err
}

// Lives implements [catalog.Source]. Files do not say when what was updated, so what they
// have goes on.
func (f *File) Lives(c *catalog.Catalog, l *catalog.Lives, _ *catalog.Selection) error {
	b := f.own
	if b == nil && f.plan != nil {
		b = &f.plan.shared
	}
	if b == nil || f.n == 0 {
		return nil
	}
	for _, slot := range b.Slots[:min(f.n, len(b.Slots))] {
		if c.Ends(slot) {
			l.Add(slot, 0, catalog.Forever)
		}
	}
	return nil
}

// Reset implements [catalog.Source].
func (f *File) Reset() {
	f.unmap()
	f.plan, f.n, f.end, f.own, f.copied = nil, 0, 0, nil, nil
	f.identity = mapped.Identity{}
}

// Close implements [catalog.Source].
func (f *File) Close() { f.Reset() }

// Replaced finds out by the identity of what is mapped, which no other file can
// have meanwhile. Files that are not mapped are read whole each time.
func (f *File) Replaced() bool {
	if f.region.Len() == 0 {
		return false
	}
	info, err := f.files.reading.Stat(f.Place)
	if err != nil && spool.Unavailable(err) {
		return false
	}
	return err != nil || info.Identity != f.identity
}

// Standing implements [catalog.Source].
func (f *File) Standing() catalog.Standing { return catalog.Standing{Rank: catalog.RankPython} }

// Passing is true of the files that [MarkDead] deletes.
func (f *File) Passing() bool { return f.kind.mode.Live() }
