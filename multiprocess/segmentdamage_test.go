package multiprocess_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// smallSegment returns a segment with one of each that a segment can have.
func smallSegment(tb testing.TB, kind segment.Kind) []byte {
	tb.Helper()
	var memory kept
	made, err := segment.NewWriter(&memory, firstExtent, segment.Header{Kind: kind, ID: [16]byte{1}, Start: 9, PID: 9, Generation: 3})
	if err != nil {
		tb.Fatal(err)
	}
	w := &writer{Writer: made, tb: tb}
	exemplar := &model.Exemplar{Labels: model.LabelsFromText(`t="1"`), Timestamp: model.Unix(3, 4)}
	c := w.family(segment.Family{Name: "n", Type: model.Counter})
	h := w.family(segment.Family{Name: "h", Type: model.Histogram, Bounds: []float64{1, math.Inf(1)}})
	for i, r := range []rows{c, h} {
		first := r.add(`a="b"`, 1)
		if err := r.SetExemplar(first, i, exemplar); err != nil {
			tb.Fatal(err)
		}
	}
	lanes, err := c.Lanes(c.add(`a="c"`, 5), 2)
	if err != nil {
		tb.Fatal(err)
	}
	lanes.Mine().Add(3)
	g := w.family(segment.Family{Name: "g", Type: model.Gauge, Layout: segment.LayoutTimed})
	g.series(segment.Series{Process: "7", Start: 1}, math.Float64bits(8), math.MaxInt64)
	i := w.family(segment.Family{Name: "i", Type: model.Info})
	if err := i.SetInfo(i.add(""), `v="1"`); err != nil {
		tb.Fatal(err)
	}
	w.family(segment.Family{Name: "e", Type: model.StateSet, States: []string{"x", "y"}}).add("", 1, 1)
	if kind == segment.KindArchive {
		if err := w.Note(segment.Notes{Taken: takenUp(writerName(0))}); err != nil {
			tb.Fatal(err)
		}
	}
	if len(memory.data) != firstExtent {
		tb.Fatal("it is not small")
	}
	return memory.data[:w.Used()]
}

// kept is memory of one extent.
type kept struct{ data []byte }

func (k *kept) Extend(offset uint64, n int) ([]byte, error) {
	if offset > 0 {
		return nil, errors.New("full")
	}
	var err error
	k.data, err = pages{}.Extend(0, n)
	return k.data, err
}

func TestEveryByteOfASegmentFlippedAndEveryLengthCut(t *testing.T) {
	for _, c := range []struct {
		name string
		kind segment.Kind
	}{{writerName(1), segment.KindWriter}, {"archive.seg", segment.KindArchive}} {
		dir := t.TempDir()
		good, sample := healthy(t, dir)
		path := filepath.Join(dir, c.name)
		whole := smallSegment(t, c.kind)
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		warm := collector(t, dir, multiprocess.WithoutFolding()) // which would come after a minute
		survey(t, warm, sample, good, path)
		if n := warm.Stats().Families; n != 6 {
			t.Fatalf("%d families: %q", n, samples(collect(t, warm)))
		}
		reads := 0
		for _, i := range places(len(whole)) {
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			damaged := whole[i] ^ []byte{0xff, 0x80, 0x01}[i%3]
			if _, err := file.WriteAt([]byte{damaged}, int64(i)); err != nil { // in place: the warm collector has it mapped
				t.Fatal(err)
			}
			survey(t, warm, sample, good, path)
			reads++
			if _, err := file.WriteAt(whole[i:i+1], int64(i)); err != nil {
				t.Fatal(err)
			}
			_ = file.Close()
		}
		survey(t, collector(t, dir), sample, good, path)
		reads += cutEverywhere(t, warm, sample, good, path, len(whole))
		runtime.ReadMemStats(&after)
		if perRead := (after.TotalAlloc - before.TotalAlloc) / uint64(reads); perRead > 1<<18 {
			t.Errorf("%d bytes were allocated for each reading of %d bytes", perRead, len(whole))
		}
	}
}

func TestSegmentTruncatedWhileMapped(t *testing.T) {
	dir := t.TempDir()
	_, sample := healthy(t, dir)
	for _, length := range []int64{0, 4096, 8192} {
		w := begin(t, dir, segment.Header{})
		r := w.family(segment.Family{Name: "n", Type: model.Counter})
		for i := range 1000 {
			r.add(fmt.Sprintf(`a="%d"`, i), 1)
		}
		c := collector(t, dir)
		for range 2 {
			if got := samples(collect(t, c)); len(got) != 1001 {
				t.Fatalf("%d samples", len(got))
			}
		}
		path := filepath.Join(dir, w.name)
		if err := os.Truncate(path, length); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			sameSamples(t, fmt.Sprintf("truncated to %d", length), collect(t, c), []string{sample})
		}
		if s := c.Stats(); s.Files != 1 || s.Skipped[multiprocess.ReasonTruncated]+s.Skipped[multiprocess.ReasonEmpty] != 1 {
			t.Errorf("stats %+v", s)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatElseHasASegmentsName(t *testing.T) {
	dir := t.TempDir()
	_, sample := healthy(t, dir)
	with := func(at int, bytes ...byte) []byte {
		data := slices.Clone(smallSegment(t, segment.KindWriter))
		copy(data[at:], bytes)
		return data
	}
	used := func(n uint64) []byte { return with(384, binary.NativeEndian.AppendUint64(nil, n)...) }
	want := map[string]multiprocess.Reason{}
	for name, c := range map[string]struct {
		data   []byte
		reason multiprocess.Reason
	}{
		"foo.seg":      {with(0), multiprocess.ReasonName},
		writerName(20): {nil, multiprocess.ReasonEmpty},
		writerName(21): {with(0)[:100], multiprocess.ReasonTruncated},
		writerName(22): {with(0)[:1024], multiprocess.ReasonTruncated},
		writerName(23): {make([]byte, 1024), multiprocess.ReasonForeign},
		writerName(24): {with(8, 9), multiprocess.ReasonVersion},
		writerName(25): {with(12, 1, 2, 3, 4), multiprocess.ReasonVersion},
		writerName(26): {with(24, 77), multiprocess.ReasonCorrupt},
		writerName(27): {used(515), multiprocess.ReasonCorrupt},
		writerName(28): {used(8), multiprocess.ReasonCorrupt},
		writerName(29): {used(1 << 40), multiprocess.ReasonTruncated},
		writerName(30): {used(1<<63 + 8), multiprocess.ReasonTruncated},
		writerName(1):  {with(530, 255), multiprocess.ReasonCorrupt},
		writerName(32): {nil, multiprocess.ReasonNotRegular},
		writerName(33): {nil, multiprocess.ReasonNotRegular},
		writerName(34): {nil, multiprocess.ReasonNotRegular},
	} {
		want[name] = c.reason
		if c.reason != multiprocess.ReasonNotRegular {
			if err := os.WriteFile(filepath.Join(dir, name), c.data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := begin(t, t.TempDir(), segment.Header{})
	err := errors.Join(os.Mkdir(filepath.Join(dir, writerName(33)), 0o700),
		os.Symlink(w.name, filepath.Join(dir, writerName(32))),
		makePipe(filepath.Join(dir, writerName(34))))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]multiprocess.Reason{}
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
		var left *multiprocess.FileError
		if !errors.As(err, &left) {
			t.Error(err)
			return
		}
		got[filepath.Base(left.Path)] = left.Reason
	}))
	for range 3 {
		sameSamples(t, "Collect", collect(t, c), []string{sample})
	}
	for name, reason := range want {
		if got[name] != reason {
			t.Errorf("%s is left out for %q, not %q", name, got[name], reason)
		}
	}
	if len(got) != len(want) {
		t.Errorf("told of %v", got)
	}
}

func FuzzSegment(f *testing.F) {
	for _, kind := range []segment.Kind{segment.KindWriter, segment.KindArchive} {
		f.Add(smallSegment(f, kind), uint32(600), uint64(1))
	}
	for _, seed := range forgeries() {
		f.Add(seed.data, uint32(headWord), uint64(512))
	}
	dir := f.TempDir()
	good, sample := healthy(f, dir)
	f.Fuzz(func(t *testing.T, data []byte, at uint32, word uint64) {
		path := filepath.Join(dir, writerName(1))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(path) }()
		c := collector(t, dir)
		survey(t, c, sample, good, path)
		if int(at)+8 <= len(data) { // what rows refer to has no checksum
			binary.NativeEndian.PutUint64(data[at&^7:], word)
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteAt(data, 0); err != nil {
				t.Fatal(err)
			}
			_ = file.Close()
		}
		survey(t, c, sample, good, path)
	})
}
