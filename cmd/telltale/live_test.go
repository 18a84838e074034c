package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// The page that draws is where the verb says it is, and only if it was asked for.
func TestLivePage(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	for _, test := range []struct {
		name string
		args []string
		want int
	}{
		{"demo", []string{"demo", "--listen", "127.0.0.1:0"}, http.StatusOK},
		{"serve --live", []string{"serve", "--dir", dir, "--listen", "127.0.0.1:0", "--live"}, http.StatusOK},
		{"serve", []string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"}, http.StatusNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, test.args...)
			root := strings.TrimSuffix(s.url, "/metrics")
			for path, want := range map[string]int{"/": http.StatusOK, "/live/": test.want, "/live/data": test.want} {
				response, err := client.Get(root + path)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				if response.StatusCode != want {
					t.Errorf("%s: %s", path, response.Status)
				}
			}
			if rest, _, status := s.end(os.Interrupt); status != 0 || test.want == http.StatusOK && !strings.Contains(rest, root+"/live/") {
				t.Errorf("status %d, it says %q", status, rest)
			}
		})
	}
}
