//go:build unix

package live_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/live"
	"telltale/multiprocess"
)

// writersOf asks for the writers.
func writersOf(t *testing.T, h http.Handler, query string) (all struct {
	Directory bool
	Writers   *struct {
		Failed bool
		Files  []struct {
			Kind, Alive, Name string
			Series            int
			Used, Size        int64
		}
	}
}) {
	t.Helper()
	w := do(t, h, "GET", "/live/data?"+query)
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return all
}

// The processes of a store's directory are shown to those who ask for them.
func TestWriters(t *testing.T) {
	store, err := multiprocess.Open(t.TempDir(), multiprocess.WithWriterName("worker-1"), multiprocess.WithoutFolding())
	if err != nil {
		t.Skip(err) // a file system without locks
	}
	defer func() { _ = store.Close() }()
	reg := telltale.NewRegistry(telltale.WithStore(store))
	telltale.Must(telltale.NewCounter("c", "", telltale.In(reg))).Inc()
	h := live.Handler(reg, live.WithWriters(store.Directory()))
	if d := writersOf(t, h, ""); !d.Directory || d.Writers != nil {
		t.Errorf("without being asked for: %+v", d)
	}
	d := writersOf(t, h, "writers")
	if d.Writers == nil || d.Writers.Failed || len(d.Writers.Files) != 1 {
		t.Fatalf("%+v", d.Writers)
	}
	if f := d.Writers.Files[0]; f.Kind != "writer" || f.Alive != "yes" || f.Name != "worker-1" || f.Series != 1 || f.Used <= 0 || f.Size < f.Used {
		t.Errorf("%+v", f)
	}
	if d := writersOf(t, live.Handler(reg), "writers"); d.Directory || d.Writers != nil {
		t.Errorf("without a directory: %+v", d)
	}
}

// A directory that cannot be read is told to the hook, and its name not to readers. It
// is not read again with each collection.
func TestWritersThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := filepath.Join(os.TempDir(), "telltale-live-missing")
		told := 0
		h := live.Handler(telltale.NewRegistry(), live.WithWriters(missing), live.WithErrorHook(func(error) { told++ }))
		for range 5 {
			if w := do(t, h, "GET", "/live/data?writers"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), missing) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if d := writersOf(t, h, "writers"); d.Writers == nil || !d.Writers.Failed {
				t.Errorf("%+v", d)
			}
			time.Sleep(time.Second)
		}
		if told != 1 {
			t.Errorf("the hook was called %d times in five seconds", told)
		}
		time.Sleep(time.Minute) // until what was collected is released
	})
}
