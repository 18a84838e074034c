package multiprocess_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"telltale/model"
	"telltale/multiprocess"
)

// small returns a file with one of each that a file can hold.
func small(width int) *pythonBytes {
	var f pythonBytes
	f.add(width, `["h", "h_sum", {"a": "b"}, "Help."]`, 1.5, 0)
	f.add(width, `["h", "h_bucket", {"a": "b", "le": "1.0"}, "Help."]`, 2, 0)
	f.add(width, `["h", "h_bucket", {"a": "b", "le": "+Inf"}, "Help."]`, 3, 1.7e9)
	f.add(width, `["h", "h_sum", {"a": "c\u00e9"}]`, 4, 0)
	return &f
}

// healthy is a file beside the damaged one, and what it always says.
func healthy(tb testing.TB, dir string) (file, sample string) {
	return put(tb, dir, "counter_1.db", entry{counter(""), 42, 0}), "c_total{} 42.0"
}

// survey reads a directory all ways and requires only that it works, that the
// healthy file counts, and that memory stays within bounds.
func survey(tb testing.TB, c *multiprocess.Collector, sample string, files ...string) {
	tb.Helper()
	for _, accumulate := range []bool{true, false} {
		families, _ := multiprocess.Merge(files, accumulate) // damaged files are errors, as they should be
		if !slices.Contains(samples(families), sample) {
			tb.Fatalf("Merge lost the healthy file: %q", samples(families))
		}
	}
	if got := samples(collect(tb, c)); !slices.Contains(got, sample) {
		tb.Fatalf("Collect lost the healthy file: %q", got)
	}
}

func TestEveryByteFlippedAndEveryLengthCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
	}{{"histogram_2.db", 8}, {"histogram_2.db", 16}, {"gauge_all_2.db", 16}} {
		dir := t.TempDir()
		good, sample := healthy(t, dir)
		path := filepath.Join(dir, c.name)
		whole := small(c.width).bytes()
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		warm := collector(t, dir)
		survey(t, warm, sample, good, path)
		reads := 0
		for _, i := range places(len(whole)) {
			for _, flip := range []byte{0xff, 0x80, 0x01, 0x20} {
				damaged := slices.Clone(whole)
				damaged[i] ^= flip
				file, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := file.WriteAt(damaged, 0); err != nil { // in place: the warm collector has it mapped
					t.Fatal(err)
				}
				_ = file.Close()
				survey(t, warm, sample, good, path)
				reads++
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		survey(t, warm, sample, good, path)
		reads += cutEverywhere(t, warm, sample, good, path, len(whole))
		runtime.ReadMemStats(&after)
		if perRead := (after.TotalAlloc - before.TotalAlloc) / uint64(reads); perRead > 1<<18 {
			t.Errorf("%d bytes were allocated for each reading of %d bytes", perRead, len(whole))
		}
	}
}

// cutEverywhere cuts a file of that size by one byte at a time, to nothing: it is
// left out, and nothing else is. It returns at how many lengths.
func cutEverywhere(t *testing.T, warm *multiprocess.Collector, sample, good, path string, size int) (reads int) {
	t.Helper()
	for _, n := range slices.Backward(places(size)) {
		if err := os.Truncate(path, int64(n)); err != nil {
			t.Fatal(err)
		}
		survey(t, warm, sample, good, path)
		if families, err := multiprocess.Merge([]string{path}, true); err == nil || len(families) > 0 {
			t.Fatalf("cut to %d of %d bytes: %q, %v", n, size, lines(families), err)
		}
		reads++
	}
	return reads
}

func TestFileTruncatedWhileMapped(t *testing.T) {
	dir := t.TempDir()
	_, sample := healthy(t, dir)
	path := filepath.Join(dir, "counter_2.db")
	var f pythonBytes
	for i := range 1000 {
		f.add(16, counter(fmt.Sprintf(`"i": "%d"`, i)), 1, 0)
	}
	var told []error
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	for _, length := range []int64{0, 4096, 8192} {
		f.write(t, path)
		for range 2 {
			if got := samples(collect(t, c)); len(got) != 1001 {
				t.Fatalf("%d samples", len(got))
			}
		}
		if err := os.Truncate(path, length); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			sameSamples(t, fmt.Sprintf("truncated to %d", length), collect(t, c), []string{sample})
		}
		if s := c.Stats(); s.Files != 1 || s.Skipped[multiprocess.ReasonTruncated]+s.Skipped[multiprocess.ReasonEmpty] != 1 {
			t.Errorf("stats %+v", s)
		}
	}
	if len(told) < 3 {
		t.Errorf("told of %v", told)
	}
}

func TestWhatElseLiesInTheDirectory(t *testing.T) {
	dir := t.TempDir()
	_, sample := healthy(t, dir)
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	header := func(used int32, more ...byte) []byte {
		return append(binary.NativeEndian.AppendUint32(nil, uint32(used)), append(make([]byte, 4), more...)...)
	}
	with := func(key string) []byte {
		var f pythonBytes
		f.add(8, key, 1, 0)
		return f.bytes()
	}
	want := map[string]multiprocess.Reason{}
	for name, c := range map[string]struct {
		data   []byte
		reason multiprocess.Reason
	}{
		"foo.db":               {with(counter("")), multiprocess.ReasonName},
		"counter.db":           {nil, multiprocess.ReasonName},
		"gauge_median_1.db":    {with(gauge("")), multiprocess.ReasonName},
		"counter_empty.db":     {nil, multiprocess.ReasonEmpty},
		"counter_zeros.db":     {make([]byte, 1<<16), multiprocess.ReasonEmpty},
		"counter_half.db":      {make([]byte, 5), multiprocess.ReasonTruncated},
		"counter_negative.db":  {header(-8), multiprocess.ReasonCorrupt},
		"counter_seven.db":     {header(7), multiprocess.ReasonCorrupt},
		"counter_beyond.db":    {header(1 << 30), multiprocess.ReasonTruncated},
		"counter_nine.db":      {header(9, 0), multiprocess.ReasonCorrupt},
		"counter_torn.db":      {append(header(20), with(counter(""))[8:20]...), multiprocess.ReasonCorrupt},
		"counter_number.db":    {with(`["c", "c_total", {"a": 1}, ""]`), multiprocess.ReasonKey},
		"counter_elements.db":  {with(`["c", "c_total", {}, "", ""]`), multiprocess.ReasonKey},
		"counter_escape.db":    {with(`["c", "c_\q", {}]`), multiprocess.ReasonKey},
		"counter_newline.db":   {with("[\"c\", \"c\n\", {}]"), multiprocess.ReasonKey},
		"counter_nameless.db":  {with(`["", "c_total", {}]`), multiprocess.ReasonKey},
		"counter_utf8.db":      {with("[\"c\", \"c_total\", {\"a\": \"\xff\"}]"), multiprocess.ReasonKey},
		"histogram_bound.db":   {with(`["h", "h_bucket", {"le": "wide"}]`), multiprocess.ReasonKey},
		"histogram_nan.db":     {with(`["h", "h_bucket", {"le": "NaN"}]`), multiprocess.ReasonKey},
		"gauge_all_key.db":     {with(`null`), multiprocess.ReasonKey},
		"summary_directory.db": {nil, multiprocess.ReasonNotRegular},
		"summary_link.db":      {nil, multiprocess.ReasonNotRegular},
		"summary_broken.db":    {nil, multiprocess.ReasonNotRegular},
		"summary_pipe.db":      {nil, multiprocess.ReasonNotRegular},
	} {
		want[name] = c.reason
		if c.reason != multiprocess.ReasonNotRegular {
			write(name, c.data)
		}
	}
	write(".counter_hidden.db", with(counter(""))) // a glob of *.db leaves it out
	write("counter_1.db.tmp", with(counter("")))
	other := put(t, t.TempDir(), "summary_1.db", entry{`["s", "s_sum", {}]`, 1, 0})
	err := errors.Join(os.Mkdir(filepath.Join(dir, "summary_directory.db"), 0o700),
		os.Symlink(other, filepath.Join(dir, "summary_link.db")),
		os.Symlink(filepath.Join(dir, "none"), filepath.Join(dir, "summary_broken.db")),
		makePipe(filepath.Join(dir, "summary_pipe.db")))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() > 0 {
		put(t, dir, "counter_secret.db", entry{counter(""), 1, 0})
		want["counter_secret.db"] = multiprocess.ReasonPermission
		if err := os.Chmod(filepath.Join(dir, "counter_secret.db"), 0); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]multiprocess.Reason{}
	c := collector(t, dir, multiprocess.WithErrorHook(func(err error) {
		var left *multiprocess.FileError
		if !errors.As(err, &left) || !strings.Contains(err.Error(), left.Path) || !strings.HasPrefix(left.Path, dir) {
			t.Errorf("told of %v", err)
			return
		}
		name := filepath.Base(left.Path)
		if _, twice := got[name]; twice {
			t.Errorf("told twice of %s", name)
		}
		got[name] = left.Reason
		panic("hooks may panic")
	}))
	for range 3 {
		sameSamples(t, "Collect", collect(t, c), []string{sample})
	}
	counts := map[multiprocess.Reason]int{}
	for name, reason := range want {
		counts[reason]++
		if got[name] != reason {
			t.Errorf("%s is left out for %q, not %q", name, got[name], reason)
		}
	}
	stats := c.Stats()
	if len(got) != len(want) || stats.Files != 1 {
		t.Errorf("told of %d files, not %d; stats %+v", len(got), len(want), stats)
	}
	for reason, n := range counts {
		if stats.Skipped[reason] != n {
			t.Errorf("%d files are counted as %s, not %d", stats.Skipped[reason], reason, n)
		}
	}
	write("counter_empty.db", with(counter(`"now": "good"`)))
	sameSamples(t, "Collect", collect(t, c), []string{sample, `c_total{now="good"} 1.0`})
}

func TestLayoutsAreToldApart(t *testing.T) {
	for entries := range 5 {
		for _, width := range []int{8, 16} {
			var f pythonBytes
			for i := range entries {
				// Times that look like lengths must not confuse.
				when := []float64{0, 1.7e9, math.Float64frombits(8), math.Float64frombits(40)}[i]
				f.add(width, counter(fmt.Sprintf(`"i": "%d"`, i)), float64(i+1), when)
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "counter_1.db")
			f.write(t, path)
			var want []string
			for i := range entries {
				want = append(want, fmt.Sprintf(`c_total{i="%d"} %d.0`, i, i+1))
			}
			check(t, dir, []string{path}, want...)
		}
	}
}

// TestForgedTimesDoNotConfuse makes a file whose chain is whole in both layouts:
// a time is the length of a key that reaches up to the last word.
func TestForgedTimesDoNotConfuse(t *testing.T) {
	var f pythonBytes
	f.add(16, counter(""), 1, 0)
	at := len(f.data) - 8
	f.add(16, counter(`"b": "2"`), 2, 0)
	binary.NativeEndian.PutUint32(f.data[at:], uint32(len(f.data)-8-(at+4)-1))
	copy(f.data[at+4:], "[   ")
	dir := t.TempDir()
	path := filepath.Join(dir, "counter_1.db")
	f.write(t, path)
	check(t, dir, []string{path}, "c_total{} 1.0", `c_total{b="2"} 2.0`)
}

func TestHolesCostNoMemory(t *testing.T) {
	dir := t.TempDir()
	_, sample := healthy(t, dir)
	path := filepath.Join(dir, "counter_2.db")
	var f pythonBytes
	f.add(8, counter(`"a": "1"`), 1, 0)
	binary.NativeEndian.PutUint32(f.data, 1<<30)
	if err := errors.Join(os.WriteFile(path, f.data, 0o600), os.Truncate(path, 1<<30)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sameSamples(t, "Collect", collect(t, collector(t, dir)), []string{sample})
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<24 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func FuzzMerge(f *testing.F) {
	for _, width := range []int{8, 16} {
		f.Add(small(width).bytes(), uint8(2))
		f.Add(small(width).bytes()[:40], uint8(0))
	}
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0}, uint8(1))
	names := []string{"counter_2.db", "gauge_all_2.db", "histogram_2.db", "summary_2.db", "gauge_mostrecent_2.db", "gauge_min_2.db"}
	dir := f.TempDir()
	good, sample := healthy(f, dir)
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		path := filepath.Join(dir, names[int(kind)%len(names)])
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(path) }()
		families, err := multiprocess.Merge([]string{good, path}, true)
		if err == nil && len(samples(families)) > 2*len(data)+3 {
			t.Fatalf("%d samples of %d bytes", len(samples(families)), len(data))
		}
		c := collector(t, dir)
		for range 3 { // read, mapped, trusted
			first := ""
			_ = c.Collect(context.Background(), func(fam *model.Family) error {
				for s := range fam.Samples() {
					first += s.Name + s.Labels.String()
				}
				return nil
			})
			if fam := samples(families); slices.Contains(fam, sample) && !strings.Contains(first, "c_total{}") {
				t.Fatalf("the healthy file is lost: %q", first)
			}
		}
	})
}
