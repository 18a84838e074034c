//go:build unix

package multiprocess_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// Whatever a segment says under good checksums, the page is valid and has what other
// files have, errors name the file and the offset, readers and folds agree, and memory
// is in proportion to the bytes.
func TestForgedSegments(t *testing.T) {
	for _, test := range forgeries() {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			counting(t, dir, segment.Header{ID: [16]byte{9}}, 5).die()
			name := writerName(1)
			if test.kind == segment.KindArchive {
				name = "archive.seg"
			}
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, test.data, 0o600); err != nil {
				t.Fatal(err)
			}
			var told []string
			hook := multiprocess.WithErrorHook(func(err error) { told = append(told, err.Error()) })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := collector(t, dir, hook)
			pages := [][]string{samples(collect(t, c)), samples(collect(t, c)), samples(collect(t, collector(t, dir)))}
			families, mergeErr := multiprocess.Merge([]string{dir}, true)
			pages = append(pages, samples(families))
			report := inspect(t, dir)[name]
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("%d bytes were allocated for a file of %d", n, len(test.data))
			}
			for _, page := range pages {
				if !slices.Contains(page, "c_total{} 5.0") || !slices.Equal(page, pages[0]) {
					t.Errorf("a page has %.1000q, the first %.1000q", page, pages[0])
				}
			}
			counts := slices.ContainsFunc(pages[0], func(s string) bool { return strings.HasPrefix(s, "f_total{") })
			want := regexp.MustCompile(regexp.QuoteMeta(name) + `.*: at offset ` + test.offset + `:`)
			switch {
			case test.offset == "":
			case len(told) != 1 || !want.MatchString(told[0]) || counts:
				t.Errorf("told %q, want one of offset %s; it counts: %v", told, test.offset, counts)
			case report.Reason != multiprocess.ReasonCorrupt || mergeErr == nil:
				t.Errorf("inspected %+v, merged %v", report, mergeErr)
			}
			folded, err := multiprocess.Fold(t.Context(), dir)
			if archive := test.kind == segment.KindArchive; archive && report.Error != "" {
				if err == nil {
					t.Error("a fold has taken an archive away that nobody can read")
				}
			} else if err != nil {
				t.Error(err)
			} else if !archive && slices.Contains(folded.Absorbed, name) != counts {
				t.Errorf("it counts: %v; absorbed %q, left %q", counts, folded.Absorbed, left(folded))
			}
			for _, c := range []*multiprocess.Collector{c, collector(t, dir)} {
				if page := samples(collect(t, c)); !slices.Equal(page, pages[0]) {
					t.Errorf("folded: a page has %.1000q, before %.1000q", page, pages[0])
				}
			}
		})
	}
}

// What looks like a segment by its name and is none costs nothing and ends nothing, on a
// disk and in memory.
func TestForgedSparseSegments(t *testing.T) {
	for name, dir := range map[string]string{"disk": t.TempDir(), "memory": sharedDir(t)} {
		t.Run(name, func(t *testing.T) {
			counting(t, dir, segment.Header{ID: [16]byte{9}}, 5).die()
			f := forge(segment.KindWriter, nil).counter(0)
			for id, used := range []uint64{1 << 33, 1 << 35, 1<<35 + 8, uint64(len(f.data)) + 1<<20} {
				whole := forge(segment.KindWriter, func(head []byte) { head[24] = byte(id + 20) }).counter(0)
				path := filepath.Join(dir, writerName(byte(id+20)))
				if err := os.WriteFile(path, whole.set(usedWord, used).data, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(path, 1<<36); err != nil {
					t.Fatal(err)
				}
			}
			before := allocated(t, dir)
			var told []string
			c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err.Error()) }))
			for range 3 {
				if page := samples(collect(t, c)); !slices.Equal(page, []string{"c_total{} 5.0"}) {
					t.Errorf("the page has %q", page)
				}
			}
			if len(told) != 4 {
				t.Errorf("told %q", told)
			}
			report := fold(t, dir)
			if len(report.Absorbed) != 1 {
				t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
			}
			if after := allocated(t, dir); after > before+1<<20 {
				t.Errorf("%d bytes are taken, before %d", after, before)
			}
		})
	}
}
