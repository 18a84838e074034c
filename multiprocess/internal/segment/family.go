package segment

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

// Layout says which words a row has. Word 0 is the row's state in all of them.
type Layout uint8

// The layouts. Sums, fractions and values are float64s (in LayoutValue those of a
// [cell.Level]), counts are integers, times are nanoseconds since 1970. Links are two
// offsets, each divided by 8: of the row's lanes in the lower half, of its texts in the
// upper half.
const (
	LayoutValue     Layout = 1 // value
	LayoutTimed     Layout = 2 // value, time
	LayoutCounter   Layout = 3 // links, whole, fraction
	LayoutHistogram Layout = 4 // links, sum, each bucket's own count
	LayoutFloats    Layout = 5 // links, sum, each bucket's own count as a float64
	LayoutSummary   Layout = 6 // links, sum, count
	LayoutInfo      Layout = 7 // links
	LayoutState     Layout = 8 // index of the state, time
	// LayoutNative: links, each bucket's own count but that of +Inf, then the words
	// of an exponential.Histogram, which has the count and the sum.
	LayoutNative Layout = 9
)

// Words that every row has, and where its links are.
const (
	wordState = 0
	wordLinks = 1
)

// linked reports whether the row's second word is links.
func (l Layout) linked() bool { return l >= LayoutCounter && l <= LayoutInfo || l == LayoutNative }

// values is how many words lie before a row's values. That of an info is its
// links.
func (l Layout) values() int {
	if l.linked() && l != LayoutInfo {
		return 2
	}
	return 1
}

// Words is how many words a row of the family has; 0 if its layout is not known.
func (f *Family) Words() int {
	n := f.plainWords()
	if f.Expiry > 0 && n > 0 {
		n += lifeWords
	}
	return n
}

// plainWords is Words without those of [Life], which rows of a family with an Expiry have.
func (f *Family) plainWords() int {
	switch f.Layout {
	case LayoutValue:
		return 2
	case LayoutTimed, LayoutState:
		return 3
	case LayoutCounter, LayoutSummary:
		return 4
	case LayoutHistogram, LayoutFloats:
		return 3 + len(f.Bounds)
	case LayoutInfo:
		return 2
	case LayoutNative:
		return 2 + f.Classic() + f.Native().Words()
	}
	return 0
}

// Classic is how many counts of classic buckets lie before the words of native
// ones: the count of the last follows from the others.
func (f *Family) Classic() int { return max(0, len(f.Bounds)-1) }

// Native returns options of the native buckets, as far as they settle how many
// words these have.
func (f *Family) Native() *exponential.Options {
	return &exponential.Options{MaxBuckets: int(f.NativeBuckets)}
}

// NativeWordsAt returns the words of the native buckets in a row whose first value
// is given.
func (f *Family) NativeWordsAt(first *cell.Word) []cell.Word {
	return unsafe.Slice(cell.At(first, f.Classic()), f.Native().Words())
}

// Exemplars is for how many exemplars a row has places: of a counter, or of the
// classic and then the native buckets.
func (f *Family) Exemplars() int { return max(1, len(f.Bounds)) + int(f.NativeExemplars) }

// Float reports whether the i-th value is a float64, and not a count, a time or
// a state.
func (l Layout) Float(i int) bool {
	switch l {
	case LayoutCounter:
		return i == 1
	case LayoutFloats:
		return true
	case LayoutState, LayoutNative:
		return false
	}
	return i == 0
}

// fits reports whether families of the type have this layout.
func (l Layout) fits(t model.Type) bool {
	switch l {
	case LayoutValue, LayoutTimed:
		return t == model.Gauge || t == model.Unknown
	case LayoutCounter:
		return t == model.Counter
	case LayoutHistogram, LayoutFloats, LayoutNative:
		return t == model.Histogram || t == model.GaugeHistogram
	case LayoutSummary:
		return t == model.Summary
	case LayoutInfo:
		return t == model.Info
	case LayoutState:
		return t == model.StateSet
	}
	return false
}

// Family is what a segment says of a metric family. A segment may have several
// of one name, told apart by their number.
type Family struct {
	Number    uint32
	Name      string
	Help      string
	Unit      string
	Type      model.Type
	Layout    Layout
	Mode      uint8 // of gauges: all, min, max, sum, mostrecent, then the same with live
	Published bool  // a copy of what a custom collector emits; its own process asks the collector
	NoEpoch   bool  // in archives: what writers without an epoch left beside those that have one
	Merge     model.Merge
	First     Moment        // when the directory first had the definition; zero if unknown
	Expiry    time.Duration // after how long without an update a series ends; 0: never
	Bounds    []float64
	States    []string
	Labels    []string // names; none where series bring their own

	// Of LayoutNative: how many populated buckets there are at most, and for how
	// many exemplars of them there is room.
	NativeBuckets, NativeExemplars uint32

	shown uint64 // where the word shown lies; 0 for one that is in no segment
	rests []Rest // of an archive, sorted by row and value
}

// IsOfMachine reports whether the family counts what its writers' machine, or their
// namespace, does: what writers of another boot or namespace left says nothing of it.
func (f *Family) IsOfMachine() bool { return f.Type == model.Counter && f.Merge == model.MergeMax }

// Modes is how many gauge modes there are.
const Modes = 10

// Values is how many values a row of the family has.
func (f *Family) Values() int { return f.plainWords() - f.Layout.values() }

const (
	publishedFlag = 1
	noEpochFlag   = 2
)

func (f *Family) payload() (p payload) {
	p.u32(f.Number)
	flags := byte(0)
	if f.Published {
		flags |= publishedFlag
	}
	if f.NoEpoch {
		flags |= noEpochFlag
	}
	p = append(p, byte(f.Type), byte(f.Layout), f.Mode, flags)
	p.u32(uint32(f.Words()))
	p = append(p, byte(f.Merge), 0, 0, 0)
	p.u64(uint64(f.First.Wall))
	p.u64(uint64(f.First.Boot))
	p.u64(uint64(f.Expiry))
	p.text(f.Name)
	p.text(f.Help)
	p.text(f.Unit)
	p.u32(uint32(len(f.Bounds)))
	for _, upper := range f.Bounds {
		p.u64(math.Float64bits(upper))
	}
	for _, texts := range [][]string{f.States, f.Labels} {
		p.u32(uint32(len(texts)))
		for _, text := range texts {
			p.text(text)
		}
	}
	if f.Layout == LayoutNative {
		p.u32(f.NativeBuckets)
		p.u32(f.NativeExemplars)
	}
	return p
}

const (
	maxNativeExemplars = 1000
	// maxStates is how many states an enum has at most: each series has a sample
	// of each on a page. It is that of telltale.NewEnum.
	maxStates = 1000
)

// bounded reports whether families have bounds of buckets.
func (l Layout) bounded() bool {
	return l == LayoutHistogram || l == LayoutFloats || l == LayoutNative
}

// check says what readers would not accept of a family whose layout they know.
func (f *Family) check() error {
	for _, texts := range [][]string{{f.Help, f.Unit}, f.States} {
		for _, text := range texts {
			if !utf8.ValidString(text) {
				return fmt.Errorf("a family with the text %.80q, which is not UTF-8", text)
			}
		}
	}
	for _, names := range [][]string{{f.Name}, f.Labels} {
		for _, name := range names {
			if !model.ValidName(name) {
				return fmt.Errorf("a family with the name %.80q", name)
			}
		}
	}
	header := model.Family{Name: f.Name, Unit: f.Unit, Type: f.Type, Merge: f.Merge}
	if err := header.Check(); err != nil {
		return fmt.Errorf("a family that no page may have: %w", err)
	}
	switch {
	case f.Expiry < 0:
		return fmt.Errorf("a family whose series end after %v", f.Expiry)
	case !f.Layout.fits(f.Type) || f.Mode >= Modes:
		return fmt.Errorf("a family of type %d and mode %d in layout %d", f.Type, f.Mode, f.Layout)
	case f.Layout == LayoutState && len(f.States) == 0:
		return errors.New("an enum without states")
	case len(f.States) > maxStates:
		return fmt.Errorf("an enum with %d states, of at most %d", len(f.States), maxStates)
	case f.Layout.bounded() && !increasing(f.Bounds):
		return errors.New("buckets whose bounds do not increase up to +Inf")
	case f.Layout != LayoutNative:
		return nil
	case f.NativeBuckets == 0 || f.Native().Validate() != nil || f.NativeExemplars > maxNativeExemplars:
		return fmt.Errorf("%d native buckets with %d exemplars", f.NativeBuckets, f.NativeExemplars)
	}
	return nil
}

// Shown returns the round whose series took the place of all others in one step, as the
// family's segment says now. A row counts while its series is of that round. See
// [Table.Next] and [Table.Whole].
func (f *Family) Shown(s Space) uint64 { return shownAt(s, f.shown) }

// shownAt returns a word shown, 0 if there is none.
func shownAt(s Space, offset uint64) uint64 {
	if b := s.Bytes(offset, 8); offset != 0 && b != nil {
		return WordAt(b, 0).Load()
	}
	return 0
}

// decodeFamily reads a family's record. One of a layout that is not known yet is
// returned with words 0.
func decodeFamily(in *fields, at uint64) (f *Family, err error) {
	f = &Family{Number: in.u32()}
	kinds := in.take(4)
	if kinds == nil {
		return nil, corrupt(at, "a family that ends too soon")
	}
	f.Type, f.Layout, f.Mode = model.Type(kinds[0]), Layout(kinds[1]), kinds[2]
	f.Published, f.NoEpoch = kinds[3]&publishedFlag != 0, kinds[3]&noEpochFlag != 0
	words := in.u32()
	f.Merge = model.Merge(in.u8())
	in.take(3)
	f.First = Moment{int64(in.u64()), int64(in.u64())}
	f.Expiry = time.Duration(in.u64())
	f.Name, f.Help, f.Unit = in.text(), in.text(), in.text()
	n := in.u32()
	raw := in.take(uint64(n) * 8)
	for i := 0; i+8 <= len(raw); i += 8 {
		f.Bounds = append(f.Bounds, math.Float64frombits(order.Uint64(raw[i:])))
	}
	for _, texts := range []*[]string{&f.States, &f.Labels} {
		for n := in.u32(); n > 0 && !in.short; n-- {
			*texts = append(*texts, in.text())
		}
	}
	if f.Layout == LayoutNative {
		f.NativeBuckets, f.NativeExemplars = in.u32(), in.u32()
	}
	switch {
	case in.short:
		return nil, corrupt(at, "a family that ends too soon")
	case f.Native().Validate() != nil:
		return nil, corrupt(at, "a family with %d native buckets", f.NativeBuckets)
	case f.Words() == 0: // of a later minor version: its rows are passed over
		return f, nil
	case int64(words) != int64(f.Words()):
		return nil, corrupt(at, "a family with %d words in layout %d", words, f.Layout)
	}
	if err := f.check(); err != nil {
		return nil, corrupt(at, "%v", err)
	}
	return f, nil
}

// increasing reports whether bounds are in strict order and end in +Inf.
func increasing(bounds []float64) bool {
	for i := 1; i < len(bounds); i++ {
		if !(bounds[i-1] < bounds[i]) {
			return false
		}
	}
	return len(bounds) > 0 && math.IsInf(bounds[len(bounds)-1], 1) && !math.IsNaN(bounds[0])
}
