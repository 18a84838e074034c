package multiprocess_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// inspect returns what is found of each file.
func inspect(tb testing.TB, dir string) map[string]multiprocess.FileReport {
	tb.Helper()
	reports, err := multiprocess.Inspect(dir)
	if err != nil {
		tb.Fatal(err)
	}
	byName := make(map[string]multiprocess.FileReport)
	for _, r := range reports {
		byName[r.Name] = r
	}
	if !slices.IsSortedFunc(reports, func(a, b multiprocess.FileReport) int { return strings.Compare(a.Name, b.Name) }) {
		tb.Error("reports are not sorted by name")
	}
	return byName
}

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	crew(t, dir, 1, segment.Header{Epoch: "blue"}).die()
	fold(t, dir)
	live := begin(t, dir, segment.Header{Start: 5e9, PID: 42, Namespace: 7, Boot: [16]byte{0xab}, Epoch: "blue", Writer: "web", Host: "h1"})
	rows := live.family(segment.Family{Name: "c", Type: model.Counter})
	rows.add(`a="1"`)
	rows.Remove(rows.add(`a="2"`))
	live.Beat(time.Unix(9, 0))
	live.CountSpilled(3)
	dead := begin(t, dir, segment.Header{PID: 43})
	dead.MarkClosed()
	dead.die()
	put(t, dir, "counter_10000001.db", entry{counter(`"a": "1"`), 1, 0}, entry{counter(`"a": "2"`), 1, 0})
	put(t, dir, "gauge_all_10000001~0123456789abcdef.db", entry{gauge(""), 1, 0})
	const temporary = ".telltale-notes-0123456789abcdef0123456789abcdef"
	for name, text := range map[string]string{
		temporary: "", ".telltale-x": "", "README": "hello", writerName(1): "short", writerName(2): strings.Repeat("no segment", 100),
		writerName(3): "", "writer-5.seg": "", "counter_x": "", "stray.db": "", "counter_2.db": "cut", "fold.json": "{}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{writerName(4), "sub"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	found := inspect(t, dir)
	for name, want := range map[string]struct {
		kind   multiprocess.FileKind
		alive  multiprocess.Liveness
		series int
		reason multiprocess.Reason
	}{
		live.name:                                {multiprocess.KindWriter, multiprocess.Alive, 1, ""},
		dead.name:                                {multiprocess.KindWriter, multiprocess.Dead, 0, ""},
		"archive.seg":                            {multiprocess.KindArchive, "", 10, ""},
		"counter_10000001.db":                    {multiprocess.KindPython, "?", 2, ""},
		"gauge_all_10000001~0123456789abcdef.db": {multiprocess.KindAside, "?", 1, ""},
		temporary:                                {multiprocess.KindTemporary, multiprocess.Dead, 0, ""},
		".telltale-x":                            {multiprocess.KindForeign, "", 0, ""},
		"writer-5.seg":                           {multiprocess.KindForeign, "", 0, multiprocess.ReasonName},
		"fold.lock":                              {multiprocess.KindLock, multiprocess.Dead, 0, ""},
		"fold.json":                              {multiprocess.KindNotes, "", 0, ""},
		"README":                                 {multiprocess.KindForeign, "", 0, ""},
		"counter_x":                              {multiprocess.KindForeign, "", 0, ""},
		"sub":                                    {multiprocess.KindForeign, "", 0, ""},
		"stray.db":                               {multiprocess.KindForeign, "", 0, multiprocess.ReasonName},
		"counter_2.db":                           {multiprocess.KindPython, "?", 0, multiprocess.ReasonTruncated},
		writerName(1):                            {multiprocess.KindWriter, multiprocess.Dead, 0, multiprocess.ReasonTruncated},
		writerName(2):                            {multiprocess.KindWriter, multiprocess.Dead, 0, multiprocess.ReasonForeign},
		writerName(3):                            {multiprocess.KindWriter, multiprocess.Dead, 0, multiprocess.ReasonEmpty},
		writerName(4):                            {multiprocess.KindWriter, "", 0, multiprocess.ReasonNotRegular},
	} {
		r, ok := found[name]
		if want.alive == "?" && (r.Alive == multiprocess.Dead || r.Alive == multiprocess.AliveUnknown) && r.Why != "" {
			want.alive = r.Alive // whether all processes can be seen is not this test's choice
		}
		if !ok || r.Kind != want.kind || r.Alive != want.alive || r.Series != want.series || r.Reason != want.reason || (r.Error == "") != (r.Reason == "") {
			t.Errorf("%s: %+v, want %+v", name, r, want)
		}
		delete(found, name)
	}
	for name := range found {
		t.Errorf("nobody asked for %s", name)
	}
	r := inspect(t, dir)[live.name]
	if r.PID != "42" || r.Writer != "web" || r.Host != "h1" || r.Namespace != 7 || !strings.HasPrefix(r.Boot, "ab00") || r.Epoch != "blue" ||
		!r.Start.Equal(time.Unix(5, 0)) || !r.LastBeat.Equal(time.Unix(9, 0)) || r.Spilled != 3 || r.Closed ||
		r.Used != int64(live.Used()) || r.Size != firstExtent || r.Garbage == 0 || r.Families != 1 {
		t.Errorf("the live one: %+v", r)
	}
	if r := inspect(t, dir)[dead.name]; !r.Closed {
		t.Errorf("the closed one: %+v", r)
	}
	if r := inspect(t, dir)["archive.seg"]; r.Generation != 1 || r.Absorbed != 1 || r.Epoch != "blue" || r.Garbage != 0 {
		t.Errorf("the archive: %+v", r)
	}
}

// While a fold holds a dead writer's lock, the writer is not taken for alive.
func TestInspectWhileFolding(t *testing.T) {
	dir := t.TempDir()
	w := crew(t, dir, 1, segment.Header{})
	w.die()
	looked := false
	fold(t, dir, multiprocess.WithStep(func(step string) {
		if step == "held" {
			looked = true
			if r := inspect(t, dir)[w.name]; r.Alive != multiprocess.Dead || r.Why != "a fold found it dead" {
				t.Errorf("%+v", r)
			}
			if r := inspect(t, dir)["fold.lock"]; r.Alive != multiprocess.Alive {
				t.Errorf("%+v", r)
			}
		}
	}))
	if !looked {
		t.Error("the step is not there")
	}
}

// Whatever byte of a file is wrong, it is a report that says so, or one that does
// not notice.
func TestInspectOfDamage(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir, segment.Header{})
	rows := w.family(segment.Family{Name: "c", Type: model.Counter})
	first := rows.add(`a="1"`, 1)
	if err := rows.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(`id="1"`)}); err != nil {
		t.Fatal(err)
	}
	w.die()
	path := filepath.Join(dir, w.name)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noticed, used := 0, int(w.Used())
	for i := range used {
		bad := slices.Clone(good)
		bad[i] ^= 0x81
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := inspect(t, dir)[w.name]; r.Reason != "" {
			noticed++
		}
	}
	for n := 0; n < used; n += 8 {
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if r := inspect(t, dir)[w.name]; r.Reason == "" {
			t.Errorf("cut to %d bytes: %+v", n, r)
		}
	}
	if noticed < 400 {
		t.Errorf("%d flipped bytes were noticed", noticed)
	}
}

// Names in the JSON are a promise.
func TestInspectJSON(t *testing.T) {
	text, err := json.Marshal(multiprocess.FileReport{
		Name: "n", Kind: multiprocess.KindWriter, FileSystem: "tmpfs", Alive: multiprocess.Alive, Why: "w", Writer: "web", PID: "1", Host: "h", Boot: "b", Namespace: 2,
		Start: time.Unix(1, 0).UTC(), LastBeat: time.Unix(2, 0).UTC(), Closed: true, Spilled: 3, ID: "i", Epoch: "e", Generation: 4, Absorbed: 5,
		Families: 6, Series: 7, Used: 8, Garbage: 9, Size: 10, Reason: multiprocess.ReasonCorrupt, Error: "x",
	})
	want := `{"name":"n","kind":"writer","file_system":"tmpfs","alive":"yes","why":"w","writer":"web","pid":"1","host":"h","boot":"b","pid_namespace":2,` +
		`"start":"1970-01-01T00:00:01Z","last_beat":"1970-01-01T00:00:02Z","closed":true,"spilled_series":3,"id":"i","epoch":"e","generation":4,"absorbed":5,` +
		`"families":6,"series":7,"used_bytes":8,"garbage_bytes":9,"size_bytes":10,"reason":"corrupt","error":"x"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	text, err = json.Marshal(multiprocess.FileReport{Name: "n", Kind: multiprocess.KindForeign})
	if want := `{"name":"n","kind":"foreign","families":0,"series":0,"used_bytes":0,"garbage_bytes":0,"size_bytes":0}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestInspectOfNoDirectory(t *testing.T) {
	if _, err := multiprocess.Inspect(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error")
	}
}
