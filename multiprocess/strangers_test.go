//go:build unix

package multiprocess_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// Whoever may write to the directory may put anything there. These tests do.

// counting makes a writer that has counted n.
func counting(tb testing.TB, dir string, h segment.Header, n uint64) *writer {
	tb.Helper()
	w := begin(tb, dir, h)
	w.family(segment.Family{Name: "c", Type: model.Counter}).add("", n)
	return w
}

// forgedArchive puts an archive there that says what it has taken up.
func forgedArchive(tb testing.TB, dir string, start int64, names ...string) {
	tb.Helper()
	w := archive(tb, dir, 7, segment.Header{Start: start})
	if err := w.Note(segment.Notes{Taken: takenUp(names...)}); err != nil {
		tb.Fatal(err)
	}
	w.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1000)
	w.rename(dir, "archive.seg")
}

// snapshot says what a directory and all below it have.
func snapshot(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	found := make(map[string]string)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			st := info.Sys().(*syscall.Stat_t)
			found[path] = fmt.Sprint(info.Mode(), info.Size(), st.Uid, st.Gid, st.Nlink, info.ModTime())
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

func TestArchiveNamesWhatIsNobodys(t *testing.T) {
	hex := strings.Repeat("ab", 16)
	for _, name := range []string{
		"../victim/file", "../victim/empty", "/etc/passwd", "", ".", "..", "fold.lock", "archive.seg", "counter_1.db", "x",
		"writer-x.seg", "writer-" + strings.ToUpper(hex) + ".seg", "writer-" + hex + ".seg/../../victim/file", ".telltale-writer-" + hex,
		"counter_/../../victim/counter_1~0123456789abcdef.db", "counter_1.db\n", "counter_\x1b[2J~0123456789abcdef.db",
	} {
		root := t.TempDir()
		dir, victim := filepath.Join(root, "metrics"), filepath.Join(root, "victim")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.MkdirAll(filepath.Join(victim, "empty"), 0o700), os.WriteFile(filepath.Join(victim, "file"), []byte("precious"), 0o600),
			os.WriteFile(filepath.Join(victim, "counter_1~0123456789abcdef.db"), []byte("precious"), 0o600)); err != nil {
			t.Fatal(err)
		}
		counting(t, dir, segment.Header{}, 5).die()
		forgedArchive(t, dir, time.Now().UnixNano(), name)
		before := snapshot(t, victim)
		var told []error
		c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
		sameSamples(t, name, collect(t, c), []string{"c_total{} 5.0"})
		if len(told) != 1 || c.Stats().Skipped[multiprocess.ReasonCorrupt] != 1 || strings.ContainsAny(told[0].Error(), "\n\x1b") {
			t.Errorf("%q: told %q", name, told)
		}
		if r := inspect(t, dir)["archive.seg"]; r.Reason != multiprocess.ReasonCorrupt || strings.ContainsAny(r.Error, "\n\x1b") {
			t.Errorf("%q: inspected %+v", name, r)
		}
		for _, opts := range [][]multiprocess.FoldOption{{multiprocess.WithDryRun()}, {}, {multiprocess.WithPythonFiles()}} {
			if _, err := multiprocess.Fold(t.Context(), dir, opts...); err == nil {
				t.Errorf("%q: folded", name)
			}
		}
		if after := snapshot(t, victim); !maps.Equal(before, after) {
			t.Errorf("%q: %v, before %v", name, after, before)
		}
		sameSamples(t, name+" after a fold", collect(t, c), []string{"c_total{} 5.0"})
	}
}

// What an archive cannot have absorbed counts, and stays. The next fold forgets that it is
// named, whether it absorbs anything or not: it counts when its writer is dead, too.
func TestArchiveNamesTheLiving(t *testing.T) {
	for _, test := range []struct {
		name   string
		forged func(t *testing.T, dir string) *writer
		gone   bool // the fold absorbs it after all
	}{
		{"live", func(t *testing.T, dir string) *writer {
			w := counting(t, dir, segment.Header{Start: 5}, 5)
			forgedArchive(t, dir, 10, w.name)
			return w
		}, false},
		{"younger", func(t *testing.T, dir string) *writer {
			w := counting(t, dir, segment.Header{Start: 50}, 5)
			w.die()
			forgedArchive(t, dir, 10, w.name)
			return w
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			w := test.forged(t, dir)
			var told []error
			c := collector(t, dir, multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
			want := []string{"c_total{} 1005.0"}
			sameSamples(t, "before", collect(t, c), want)
			var damaged *multiprocess.FileError
			if len(told) != 1 || !errors.As(told[0], &damaged) || damaged.Reason != multiprocess.ReasonCorrupt || filepath.Base(damaged.Path) != "archive.seg" {
				t.Errorf("told %q", told)
			}
			if r := inspect(t, dir)["archive.seg"]; r.Reason != multiprocess.ReasonCorrupt {
				t.Errorf("inspected %+v", r)
			}
			for range 2 {
				fold(t, dir)
				sameSamples(t, "after a fold", collect(t, c), want)
			}
			if _, err := os.Stat(filepath.Join(dir, w.name)); (err != nil) != test.gone {
				t.Error(err)
			}
			if r := inspect(t, dir)["archive.seg"]; r.Reason != "" {
				t.Errorf("inspected after a fold %+v", r)
			}
			if test.gone {
				return
			}
			w.die()
			for range 2 {
				sameSamples(t, "once its writer is dead", collect(t, c), want)
				fold(t, dir)
			}
			sameSamples(t, "absorbed", collect(t, c), want)
		})
	}
}

// Copies of a segment and further names of it count once, before and after folds.
func TestCopiesCountOnce(t *testing.T) {
	for name, add := range map[string]func(dir, path string) error{
		"copy":               func(dir, path string) error { return copyFile(path, filepath.Join(dir, "writer-backup.seg")) },
		"copy of its form":   func(dir, path string) error { return copyFile(path, filepath.Join(dir, writerName(9))) },
		"link":               func(dir, path string) error { return os.Link(path, filepath.Join(dir, "writer-link.seg")) },
		"link of its form":   func(dir, path string) error { return os.Link(path, filepath.Join(dir, writerName(9))) },
		"link elsewhere":     func(dir, path string) error { return os.Link(path, filepath.Join(dir, "..", "elsewhere")) },
		"symbolic link":      func(dir, path string) error { return os.Symlink(path, filepath.Join(dir, writerName(9))) },
		"copy as an archive": func(dir, path string) error { return copyFile(path, filepath.Join(dir, "archive.seg.bak")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			w := counting(t, dir, segment.Header{}, 5)
			w.die()
			if err := add(dir, filepath.Join(dir, w.name)); err != nil {
				t.Fatal(err)
			}
			want := []string{"c_total{} 5.0"}
			c := collector(t, dir)
			for range 3 {
				sameSamples(t, "warm", collect(t, c), want)
				sameSamples(t, "cold", collect(t, collector(t, dir)), want)
				fold(t, dir)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
			if err != nil {
				t.Fatal(err)
			}
			if families, _ := multiprocess.Merge(files, true); !strings.Contains(name, "symbolic") {
				sameSamples(t, "Merge", families, want)
			}
		})
	}
}

// A name that an archive has many times is looked at once.
func TestArchiveRepeatsItself(t *testing.T) {
	dir := t.TempDir()
	w := counting(t, dir, segment.Header{Start: 50}, 5)
	forgedArchive(t, dir, 10, slices.Repeat([]string{w.name}, 100)...)
	if report := fold(t, dir); len(report.Left) != 2 { // as taken up, and as alive
		t.Errorf("%d files are left", len(report.Left))
	}
}

// A copy counts no more once the archive has forgotten what it took up, for those
// who merge the directory either.
func TestCopiesDoNotCountLater(t *testing.T) {
	dir := t.TempDir()
	w := counting(t, dir, segment.Header{}, 5)
	w.die()
	for _, name := range []string{"writer-backup.seg", writerName(9), "old.seg"} {
		if err := copyFile(filepath.Join(dir, w.name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		families, err := multiprocess.Merge([]string{dir}, true)
		sameSamples(t, "merged", families, []string{fmt.Sprintf("c_total{} %d.0", 5+n)})
		if err == nil {
			t.Error("copies are not told")
		}
		sameSamples(t, "collected", collect(t, collector(t, dir)), []string{fmt.Sprintf("c_total{} %d.0", 5+n)})
		fold(t, dir)
		counting(t, dir, segment.Header{}, 1).die()
	}
}

// Files of directories are opened without following links.
func TestMergeFollowsNoLinks(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := put(t, root, "counter_1.db", entry{counter(""), 5, 0})
	put(t, dir, "counter_2.db", entry{counter(""), 1, 0})
	if err := os.Symlink(path, filepath.Join(dir, "counter_3.db")); err != nil {
		t.Fatal(err)
	}
	families, err := multiprocess.Merge([]string{dir}, true)
	sameSamples(t, "the directory", families, []string{"c_total{} 1.0"})
	var file *multiprocess.FileError
	if !errors.As(err, &file) || file.Reason != multiprocess.ReasonNotRegular {
		t.Error(err)
	}
	families, err = multiprocess.Merge([]string{filepath.Join(dir, "counter_3.db")}, true)
	if sameSamples(t, "a link that was named", families, []string{"c_total{} 5.0"}); err != nil {
		t.Error(err)
	}
}

// The ID of an archive is not a writer's, whatever files say.
func TestArchiveWithTheIDOfAWriter(t *testing.T) {
	for name, absorbed := range map[string][]string{"the same ID": nil, "its own name": {writerName(7)}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			counting(t, dir, segment.Header{ID: [16]byte{7}, Start: 50}, 5).die()
			w := archive(t, dir, 7, segment.Header{ID: [16]byte{7}, Start: 10})
			if err := w.Note(segment.Notes{Taken: takenUp(absorbed...)}); err != nil {
				t.Fatal(err)
			}
			w.family(segment.Family{Name: "c", Type: model.Counter}).add("", 1000)
			w.rename(dir, "archive.seg")
			c := collector(t, dir)
			for range 3 {
				sameSamples(t, "the page", collect(t, c), []string{"c_total{} 1005.0"})
				fold(t, dir)
			}
		})
	}
}

// Nobody else can cut an archive while it is written through a mapping, which would
// end the process.
func TestArchiveIsPrivateUntilItIsWritten(t *testing.T) {
	dir := t.TempDir()
	w := counting(t, dir, segment.Header{}, 5)
	w.die()
	if err := os.Chmod(filepath.Join(dir, w.name), 0o666); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Chown(dir, 65534, 65534), os.Chown(filepath.Join(dir, w.name), 65534, 65534)); err != nil {
			t.Fatal(err)
		}
	}
	looked := false
	fold(t, dir, multiprocess.WithStep(func(step string) {
		if step != "filled" {
			return
		}
		for _, path := range ls(t, dir, ".telltale-archive-*") {
			info, err := os.Stat(filepath.Join(dir, filepath.Base(path)))
			if err != nil {
				t.Fatal(err)
			}
			if looked = true; info.Mode().Perm() != 0o600 || int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
				t.Errorf("the archive to come has %v", info.Mode())
			}
		}
	}))
	info, err := os.Stat(filepath.Join(dir, "archive.seg"))
	if err != nil || !looked || info.Mode().Perm() != 0o666 || os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Errorf("looked %v, the archive has %v, %v", looked, info.Mode(), err)
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// Whatever stands under one of our names, nothing waits for it and nothing behind
// it is touched.
func TestPlanted(t *testing.T) {
	plants := map[string]func(path, victim string) error{
		"pipe":          func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":     func(path, _ string) error { return os.Mkdir(path, 0o700) },
		"link":          func(path, victim string) error { return os.Symlink(victim, path) },
		"dangling link": func(path, _ string) error { return os.Symlink(path+"-none", path) },
		"hard link":     func(path, victim string) error { return os.Link(victim, path) },
	}
	if os.Geteuid() == 0 {
		plants["device"] = func(path, _ string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|5) }
	}
	for _, name := range []string{
		"archive.seg", "fold.lock", "fold.json", writerName(9), "counter_1.db", "gauge_livesum_1.db",
		"counter_1~0123456789abcdef.db", ".telltale-archive-" + strings.Repeat("ab", 16),
	} {
		for kind, plant := range plants {
			t.Run(name+" "+kind, func(t *testing.T) {
				root := t.TempDir()
				dir, victim := filepath.Join(root, "d"), filepath.Join(root, "victim")
				if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(victim, []byte("precious"), 0o604), plant(filepath.Join(dir, name), victim), os.Chtimes(victim, time.Time{}, time.Now().Add(-time.Hour))); err != nil {
					t.Fatal(err)
				}
				counting(t, dir, segment.Header{}, 5).die()
				before := snapshot(t, victim)[victim]
				c := collector(t, dir)
				use := func(what string) {
					sameSamples(t, what, collect(t, c), []string{"c_total{} 5.0"})
				}
				use("at first")
				inspect(t, dir)
				_, _ = multiprocess.Fold(t.Context(), dir, multiprocess.WithPythonFiles(), multiprocess.WithDeadAfter(time.Hour))
				use("folded")
				store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(error) {}), multiprocess.WithFoldAtClose())
				if err != nil {
					t.Fatal(err)
				}
				_ = store.Close()
				_ = multiprocess.MarkProcessDead(dir, 1)
				use("at last")
				if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
					t.Errorf("%q, %v", data, err)
				}
				after := snapshot(t, victim)[victim]
				if kind == "hard link" { // one name of which may be gone
					before, after = before[:10], after[:10]
				}
				if before != after {
					t.Errorf("%s, before %s", after, before)
				}
			})
		}
	}
}

// Who takes away a file that a fold has made, and puts a link in its place, has
// nothing behind the link changed.
func TestFoldWhileFilesAreSwapped(t *testing.T) {
	for _, step := range []string{"create", "created", "filled", "synced", "held", "locked"} {
		for _, prefix := range []string{".telltale-archive-", "archive.seg", "fold.lock", "writer-"} {
			root := t.TempDir()
			dir, victim := filepath.Join(root, "d"), filepath.Join(root, "victim")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(victim, make([]byte, 100_000), 0o604)); err != nil {
				t.Fatal(err)
			}
			counting(t, dir, segment.Header{}, 5).die()
			before := snapshot(t, victim)[victim]
			swap := multiprocess.WithStep(func(at string) {
				if at != step {
					return
				}
				for _, path := range ls(t, dir, prefix+"*") {
					if err := errors.Join(os.Remove(filepath.Join(dir, path)), os.Symlink(victim, filepath.Join(dir, path))); err != nil {
						t.Error(err)
					}
				}
			})
			_, err := multiprocess.Fold(t.Context(), dir, swap)
			if after := snapshot(t, victim)[victim]; before != after {
				t.Errorf("%s at %q: %s, before %s (%v)", prefix, step, after, before, err)
			}
		}
	}
}

// Files that say they are far larger than what is there cost what is there.
func TestSparseFilesCostNothing(t *testing.T) {
	dir := sharedDir(t)
	counting(t, dir, segment.Header{}, 5).die()
	grow := func(name string) {
		if err := os.Truncate(filepath.Join(dir, name), 1<<34); err != nil {
			t.Fatal(err)
		}
	}
	idle := counting(t, dir, segment.Header{}, 7) // whose end is a hole
	idle.die()
	grow(idle.name)
	claims := counting(t, dir, segment.Header{}, 9) // which says that the hole is in use
	segment.WordAt(claims.Bytes(0, segment.HeaderSize), 384).Store(1 << 33)
	claims.die()
	grow(claims.name)
	var python pythonBytes
	python.add(8, counter(""), 3, 0)
	copy(python.data, []byte{0, 0, 0, 0x7f})
	if err := os.WriteFile(filepath.Join(dir, "counter_1.db"), python.data, 0o600); err != nil {
		t.Fatal(err)
	}
	grow("counter_1.db")
	before := allocated(t, dir)
	c := collector(t, dir)
	for range 3 {
		sameSamples(t, "page", collect(t, c), []string{"c_total{} 12.0"})
	}
	inspect(t, dir)
	store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	v := telltale.Must(telltale.NewCounterVec("v", "", []string{"n"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	v.With("a").Inc()
	v.Remove("a")
	if after := allocated(t, dir); after > before+1<<20 {
		t.Errorf("%d bytes are taken, before %d", after, before)
	}
	report := fold(t, dir, multiprocess.WithPythonFiles())
	if len(report.Absorbed) != 2 || report.Freed > 1<<20 {
		t.Errorf("absorbed %q, left %q, freed %d", report.Absorbed, left(report), report.Freed)
	}
	sameSamples(t, "folded", collect(t, collector(t, dir)), []string{"c_total{} 12.0"})
}

// allocated returns how many bytes of a disk or of memory the files of a directory take.
func allocated(tb testing.TB, dir string) (n int64) {
	tb.Helper()
	for _, name := range ls(tb, dir, "*") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		n += info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return n
}

// A fold goes on in smaller batches where descriptors or space run out.
func TestFoldInBatches(t *testing.T) {
	var descriptors strings.Builder
	for nth := 4; nth < 400; nth += 5 {
		fmt.Fprintf(&descriptors, "EMFILE on openwrite writer-* %d\n", nth)
	}
	for name, rules := range map[string]string{
		"descriptors":                   descriptors.String(),
		"no descriptor for the archive": "EMFILE on create .telltale-archive-* 1\nEMFILE on create .telltale-archive-* 2",
		"space":                         "ENOSPC on extend .telltale-archive-* 1\nENOSPC on extend .telltale-archive-* 2\nENOSPC on extend .telltale-archive-* 3",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for range 40 {
				counting(t, dir, segment.Header{}, 1).die()
			}
			files := injector(t, rules)
			want := []string{"c_total{} 40.0"}
			for again := 0; len(ls(t, dir, "writer-*")) > 0 && again < 40; again++ {
				_, _ = multiprocess.Fold(t.Context(), dir, multiprocess.WithFiles(files.Hook))
				sameSamples(t, "meanwhile", collect(t, collector(t, dir)), want)
			}
			if files := ls(t, dir, "*"); !slices.Equal(files, []string{"archive.seg", "fold.lock"}) {
				t.Errorf("left %q", files)
			}
		})
	}
}
