//go:build unix

package live_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	"telltale"
	"telltale/live"
	"telltale/multiprocess"
)

// A server of several processes shows which of them live, and may collect less often.
func ExampleWithWriters() {
	dir, err := os.MkdirTemp("", "workers") // of all processes
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := multiprocess.Open(dir, multiprocess.WithWriterName("worker-1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	page := live.Handler(telltale.NewRegistry(telltale.WithStore(store)),
		live.WithWriters(store.Directory()),
		live.WithInterval(5*time.Second),
		live.WithMaxSeries(500),
	)

	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest("GET", "/live/data?writers", nil)) // as the page does
	var data struct {
		Interval float64
		Writers  struct {
			Files []struct{ Name, Alive string }
		}
	}
	fmt.Println(json.Unmarshal(w.Body.Bytes(), &data), data.Interval, data.Writers.Files)
	// Output: <nil> 5 [{worker-1 yes}]
}
