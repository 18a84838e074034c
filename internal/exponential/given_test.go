package exponential_test

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"telltale/internal/cell"
	"telltale/internal/exponential"
	"telltale/model"
)

var small = exponential.Options{Schema: 3, ZeroThreshold: exponential.DefaultZeroThreshold, MaxBuckets: 8, MaxZeroThreshold: 0.01}

func nativeIn(t *testing.T, words []exponential.Word, lanes *elsewhere) *model.NativeHistogram {
	t.Helper()
	var s exponential.Snapshot
	if err := exponential.Read(words, lanes.find, &s); err != nil {
		t.Fatal(err)
	}
	h := new(model.NativeHistogram)
	s.Native(h)
	return h
}

// A writer that dies while it makes another generation leaves the one before:
// its counts frozen, and anything in the other area.
func TestDeathOfTheWriter(t *testing.T) {
	const areas = 4 // where they begin
	for _, spread := range []bool{false, true} {
		h, words, lanes := inWordsAndLanes(t, &small)
		for i, v := range mixed(1, 500, 20) {
			if h.Observe(v); i == 300 && spread {
				h.Spread()
			}
		}
		before := nativeIn(t, words, lanes)
		h.Freeze()
		equalNative(t, nativeIn(t, words, lanes), before)
		size := (len(words) - areas) / 2
		next := words[areas+int(words[1].Load()&1)*size:][:size]
		for i := range next {
			if next[i].Store(0xdeadbeef << i % 64); i%10 == 0 {
				equalNative(t, nativeIn(t, words, lanes), before)
			}
		}
		all, stride := lanes.find()
		for i := range all { // of the other area of all lanes
			if at := i%max(1, stride) - 2; at >= 0 && at < small.LaneWords()-2 && uint64(at/((small.LaneWords()-2)/2)) == words[1].Load()&1 {
				all[i].Store(0xdeadbeef << i % 64)
			}
		}
		equalNative(t, nativeIn(t, words, lanes), before)
		if spread && len(all) == 0 {
			t.Error("there are no lanes")
		}
	}
}

// Lanes that are not there, or not all of them, are no histogram's, and without room
// there are none.
func TestLanesOfWords(t *testing.T) {
	h, words, lanes := inWordsAndLanes(t, &small)
	h.Observe(1)
	h.Spread()
	h.Observe(3)
	var s exponential.Snapshot
	all, stride := lanes.find()
	if err := exponential.Read(words, lanes.find, &s); err != nil || s.Count() != 2 || s.Sum != 4 {
		t.Errorf("%d observations with the sum %v, %v", s.Count(), s.Sum, err)
	}
	parts := 0.0
	if s.SumParts(func(v float64) { parts += v }); parts != 4 {
		t.Errorf("the parts of the sum are %v together", parts)
	}
	for name, find := range map[string]func() ([]exponential.Word, int){
		"nobody knows where": nil,
		"none":               func() ([]exponential.Word, int) { return nil, 0 },
		"too short ones":     func() ([]exponential.Word, int) { return all, small.LaneWords() - 1 },
		"a part":             func() ([]exponential.Word, int) { return all[:len(all)-1], stride },
	} {
		if err := exponential.Read(words, find, &s); err == nil || !strings.Contains(err.Error(), "lanes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	full, asked := new(exponential.Histogram), 0
	words = make([]exponential.Word, small.Words())
	if err := full.InitIn(words, func(int) *cell.Lanes { asked++; return nil }, &small); err != nil {
		t.Fatal(err)
	}
	full.Spread()
	full.Spread()
	full.Observe(2)
	if err := exponential.Read(words, nil, &s); err != nil || s.Count() != 1 || full.Lanes() != 1 || asked != 1 {
		t.Errorf("without room: %d observations in %d lanes, asked for room %d times, %v", s.Count(), full.Lanes(), asked, err)
	}
}

// Words that others damaged cost their observations, and nothing else.
func TestObserveIntoDamagedWords(t *testing.T) {
	for _, damage := range []uint64{0, 1, math.MaxUint64, 1 << 63, 1 << 52, 12345 << 40} {
		h, words := inWords(t, &small)
		var s exponential.Snapshot
		for i, v := range mixed(1, 2000, 20) {
			if i%100 == 50 {
				for k := 2; k < len(words); k++ {
					words[k].Store(damage)
				}
				if h.Read(&s); s.Schema > small.Schema || s.Buckets() > 0 {
					t.Errorf("%d buckets of schema %d are read after damage by %#x", s.Buckets(), s.Schema, damage)
				}
			}
			h.Observe(v)
		}
		h.Read(&s)
		if s.Count() > 2000 && damage == 0 {
			t.Errorf("%d observations after damage by %#x", s.Count(), damage)
		}
		if s.Buckets() > small.MaxBuckets+small.MaxBuckets/4+1 {
			t.Errorf("%d buckets after damage by %#x", s.Buckets(), damage)
		}
	}
}

func TestWordsRefused(t *testing.T) {
	var h exponential.Histogram
	if err := h.InitIn(make([]exponential.Word, small.Words()-1), nil, &small); err == nil || !strings.Contains(err.Error(), "needed") {
		t.Errorf("too few words: %v", err)
	}
	_, words := inWords(t, &small)
	if err := h.InitIn(words, nil, &small); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("words in use: %v", err)
	}
}

func TestReadWords(t *testing.T) {
	var s exponential.Snapshot
	if err := exponential.Read(make([]exponential.Word, 100), nil, &s); err != nil || s.Count() != 0 {
		t.Errorf("no histogram yet: %d observations, %v", s.Count(), err)
	}
	_, words := inWords(t, &small)
	if err := exponential.Read(words, nil, &s); err != nil || s.Count() != 0 || s.Schema != 3 || s.ZeroThreshold != small.ZeroThreshold {
		t.Errorf("no observations yet: %+v, %v", s, err)
	}
	for name, damage := range map[string]func([]exponential.Word) []exponential.Word{
		"hold no histogram": func([]exponential.Word) []exponential.Word { return nil },
		"cut off":           func(w []exponential.Word) []exponential.Word { return w[:len(w)-1] },
		"unknown format":    func(w []exponential.Word) []exponential.Word { w[0].Store(2 << 56); return w },
		"slots and":         func(w []exponential.Word) []exponential.Word { w[0].Store(1<<56 | 3<<32 | 4); return w },
		"descriptor":        func(w []exponential.Word) []exponential.Word { w[4].Store(13); return w },
		"zero threshold":    func(w []exponential.Word) []exponential.Word { w[5].Store(math.Float64bits(math.NaN())); return w },
		"another gen":       func(w []exponential.Word) []exponential.Word { w[1].Store(2); return w },
	} {
		_, words := inWords(t, &small)
		if err := exponential.Read(damage(words), nil, &s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// Whatever bytes are in shared memory, reading them ends, with an error or with
// a histogram whose parts agree.
func FuzzRead(f *testing.F) {
	for _, o := range []exponential.Options{small, {Schema: 8, MaxBuckets: 4}} {
		words, h := make([]exponential.Word, o.Words()), new(exponential.Histogram)
		f.Add(bytesOf(words))
		if err := h.InitIn(words, nil, &o); err != nil {
			f.Fatal(err)
		}
		f.Add(bytesOf(words))
		for _, v := range mixed(1, 300, 15) {
			h.Observe(v)
		}
		f.Add(bytesOf(words))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		words := make([]exponential.Word, len(data)/8)
		for i := range words {
			words[i].Store(binary.LittleEndian.Uint64(data[i*8:]))
		}
		var s, sum exponential.Snapshot
		lanes := func() ([]exponential.Word, int) { return words, max(1, len(words)/4) }
		if exponential.Read(words, lanes, &s) != nil {
			return
		}
		for _, q := range []float64{0, 0.5, 1} {
			if v := s.Quantile(q); v != v && s.Count() > s.NaNCount {
				t.Errorf("quantile %v of %d observations is NaN", q, s.Count())
			}
		}
		var h model.NativeHistogram
		s.Native(&h)
		if got := sumOf(h.Positive) + sumOf(h.Negative) + h.ZeroCount + float64(s.NaNCount); math.Abs(got-h.Count) > 1e-9*h.Count {
			t.Errorf("%v observations in buckets, %v in all", got, h.Count)
		}
		for spans, counts := range map[*[]model.Span]int{&h.PositiveSpans: len(h.Positive), &h.NegativeSpans: len(h.Negative)} {
			length := 0
			for _, span := range *spans {
				length += int(span.Length)
			}
			if length != counts {
				t.Errorf("%d buckets in spans, %d counts", length, counts)
			}
		}
		count := s.Count()
		sum.Reset()
		sum.Merge(snapshotOf(exponential.Options{Schema: 2, ZeroThreshold: 0.3}, mixed(2, 10, 5)))
		if sum.Merge(&s); sum.Count() != count+10 {
			t.Errorf("%d and 10 observations are %d", count, sum.Count())
		}
		if sum.Limit(&small); sum.Count() != count+10 || sum.Buckets() > small.MaxBuckets {
			t.Errorf("%d observations in %d buckets, were %d", sum.Count(), sum.Buckets(), count+10)
		}
	})
}

func sumOf(counts []float64) (sum float64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func bytesOf(words []exponential.Word) (data []byte) {
	data = slices.Grow(data, 8*len(words))
	for i := range words {
		data = binary.LittleEndian.AppendUint64(data, words[i].Load())
	}
	return data
}
