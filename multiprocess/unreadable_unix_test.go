//go:build unix

package multiprocess_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/inject"
	"telltale/multiprocess/internal/segment"
)

// injector returns an injector with rules.
func injector(t *testing.T, rules string) *inject.Injector {
	t.Helper()
	in, err := inject.Parse(rules)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// collectAll returns copies of all families, or an error.
func collectAll(t *testing.T, c model.Collector) (families []*model.Family, err error) {
	t.Helper()
	err = c.Collect(t.Context(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return nil
	})
	return families, err
}

// A page has all that an earlier one had, or there is none.
func TestPageIsWholeWithoutDescriptors(t *testing.T) {
	for _, failure := range []string{"EMFILE", "ENFILE", "EIO", "EACCES", "ENOMEM"} {
		for _, mapping := range []bool{true, false} {
			dir := t.TempDir()
			counting(t, dir, segment.Header{}, 1)
			counting(t, dir, segment.Header{}, 2).die()
			put(t, dir, "counter_1.db", entry{counter(""), 4, 0})
			forgedArchive(t, dir, 1)
			var files inject.Injector
			var told []error
			opts := []multiprocess.Option{multiprocess.WithFiles(files.Hook), multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(err error) { told = append(told, err) })}
			if !mapping {
				opts = append(opts, multiprocess.WithMappingLimits(0, 0))
			}
			c := collector(t, dir, opts...)
			want := []string{"c_total{} 1007.0"}
			for range 3 {
				sameSamples(t, "before", collect(t, c), want)
			}
			set := func(rules string) {
				t.Helper()
				if err := files.Set(rules); err != nil {
					t.Fatal(err)
				}
			}
			set(failure + " on open writer-*\n" + failure + " on open counter_*")
			counting(t, dir, segment.Header{}, 100)
			for range 3 {
				got, err := collectAll(t, c)
				if err == nil {
					sameSamples(t, fmt.Sprint("meanwhile ", failure), got, want)
				}
				if (err == nil) != mapping {
					t.Errorf("%s, mapped %v: %v", failure, mapping, err)
				}
			}
			if mapping && len(told) == 0 {
				t.Errorf("%s: the new file was left out and not told of", failure)
			}
			if failure == "EACCES" { // the new file is left alone for a while, and an archive may be of no concern
				continue
			}
			set(failure + " on * archive.seg")
			if err := c.Collect(t.Context(), func(*model.Family) error { return nil }); err == nil {
				t.Errorf("%s: whether the archive was replaced is not known, and there was a page", failure)
			}
			set("")
			sameSamples(t, "after", collect(t, c), []string{"c_total{} 1107.0"})
		}
	}
}

// Files that cannot be read are not opened at each collection, and count at once
// when they are mended.
func TestBrokenFilesAreRemembered(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, writerName(byte(100+i))), make([]byte, 1000), 0o600),
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("counter_%d.db", i)), []byte("x"), 0o600),
			os.Mkdir(filepath.Join(dir, fmt.Sprintf("gauge_all_%d.db", i)), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	var files inject.Injector
	c := collector(t, dir, multiprocess.WithFiles(files.Hook))
	for range 3 {
		collect(t, c)
	}
	before := len(files.Trace())
	for range 5 {
		collect(t, c)
	}
	opened := make(map[string]int)
	for _, o := range files.Trace()[before:] {
		if o.Op == mapped.OpOpen && o.Name != "archive.seg" {
			opened[o.Name]++
		}
	}
	for name, n := range opened {
		if n > 1 { // ten seconds may pass on a busy machine
			t.Errorf("%s was opened %d times", name, n)
		}
	}
	if n := c.Stats().Skipped; n[multiprocess.ReasonForeign] != 50 || n[multiprocess.ReasonTruncated] != 50 || n[multiprocess.ReasonNotRegular] != 50 {
		t.Errorf("skipped %v", n)
	}
	var python pythonBytes
	python.add(8, counter(""), 3, 0)
	if err := os.WriteFile(filepath.Join(dir, "counter_1.db"), python.data, 0o600); err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "mended", collect(t, c), []string{"c_total{} 3.0"})
}
