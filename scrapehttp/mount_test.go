package scrapehttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"telltale"
	"telltale/scrapehttp"
)

func TestMounts(t *testing.T) {
	says := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	answer := func(server *http.Server, path string) (int, string) {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		return w.Code, w.Body.String()
	}
	server := scrapehttp.NewServer("", telltale.NewRegistry(),
		scrapehttp.WithMount("/live/", says("live")), scrapehttp.WithMount("GET /a&b/", says("other")), scrapehttp.WithMount("/x/{name}/", says("hidden")))
	for path, want := range map[string]string{"/live/": "live", "/live/data": "live", "/a&b/c": "other", "/x/y/": "hidden", "/-/healthy": "OK"} {
		if code, body := answer(server, path); code != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	_, landing := answer(server, "/")
	for _, want := range []string{`<a href="metrics">`, `<a href="live/">live</a>`, `<a href="a&amp;b/">a&amp;b</a>`} {
		if !strings.Contains(landing, want) {
			t.Errorf("no %s in %s", want, landing)
		}
	}
	if strings.Contains(landing, "{name}") {
		t.Errorf("a pattern is linked: %s", landing)
	}
	for _, pattern := range []string{"/{$}", "GET /{$}"} {
		own := scrapehttp.NewServer("", telltale.NewRegistry(), scrapehttp.WithMount(pattern, says("mine")))
		if code, body := answer(own, "/"); code != http.StatusOK || body != "mine" {
			t.Errorf("%s: %d %q", pattern, code, body)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("two handlers of /metrics do not panic")
		}
	}()
	scrapehttp.NewServer("", telltale.NewRegistry(), scrapehttp.WithMount("/metrics", says("")))
}
