package exponential_test

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"telltale/internal/exponential"
	"telltale/model"
)

var small = exponential.Options{Schema: 3, ZeroThreshold: exponential.DefaultZeroThreshold, MaxBuckets: 8, MaxZeroThreshold: 0.01}

func nativeIn(t *testing.T, words []exponential.Word) *model.NativeHistogram {
	t.Helper()
	var s exponential.Snapshot
	if err := exponential.Read(words, &s); err != nil {
		t.Fatal(err)
	}
	h := new(model.NativeHistogram)
	s.Native(h)
	return h
}

// A writer that dies while it makes another generation leaves the one before:
// its counts frozen, and anything in the other area.
func TestDeathOfTheWriter(t *testing.T) {
	for lanes, areas := range map[int]int{1: 4, 4: 144} { // where the areas begin
		o := small
		o.Lanes = lanes
		h, words := inWords(t, &o)
		for i, v := range mixed(1, 500, 20) {
			if h.Observe(v); i == 300 {
				h.Spread()
			}
		}
		before := nativeIn(t, words)
		h.Freeze()
		equalNative(t, nativeIn(t, words), before)
		size := (len(words) - areas) / 2
		next := words[areas+int(words[1].Load()&1)*size:][:size]
		for i := range next {
			if next[i].Store(0xdeadbeef << i % 64); i%10 == 0 {
				equalNative(t, nativeIn(t, words), before)
			}
		}
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
	if err := h.InitIn(make([]exponential.Word, small.Words()-1), &small); err == nil || !strings.Contains(err.Error(), "needed") {
		t.Errorf("too few words: %v", err)
	}
	_, words := inWords(t, &small)
	if err := h.InitIn(words, &small); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("words in use: %v", err)
	}
}

func TestReadWords(t *testing.T) {
	var s exponential.Snapshot
	if err := exponential.Read(make([]exponential.Word, 100), &s); err != nil || s.Count() != 0 {
		t.Errorf("no histogram yet: %d observations, %v", s.Count(), err)
	}
	_, words := inWords(t, &small)
	if err := exponential.Read(words, &s); err != nil || s.Count() != 0 || s.Schema != 3 || s.ZeroThreshold != small.ZeroThreshold {
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
		if err := exponential.Read(damage(words), &s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// Whatever bytes are in shared memory, reading them ends, with an error or with
// a histogram whose parts agree.
func FuzzRead(f *testing.F) {
	for _, o := range []exponential.Options{small, {Schema: 8, MaxBuckets: 4, Lanes: 2}} {
		words, h := make([]exponential.Word, o.Words()), new(exponential.Histogram)
		f.Add(bytesOf(words))
		if err := h.InitIn(words, &o); err != nil {
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
		if exponential.Read(words, &s) != nil {
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
