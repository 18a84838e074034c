package main

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// guarded serves a page to whoever has the header.
func guarded(t *testing.T, name, value string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(name) != value && (name != "Host" || r.Host != value) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, rightText)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHeadersOfRequests(t *testing.T) {
	const basic = "Basic dXNlcjpwYXNz" // user:pass
	secret := file(t, "# for the scraper\n\nAuthorization: Bearer abc\nX-Scope: a\n")
	for _, test := range []struct {
		name        string
		header, has string
		args        func(url string) []string
	}{
		{"a flag", "X-Scope", "a b", func(url string) []string { return []string{url, "--header", "x-scope: a b"} }},
		{"several flags", "X-Scope", "b", func(url string) []string { return []string{url, "--header=Other:c,d", "--header=x-scope:b"} }},
		{"a file", "Authorization", "Bearer abc", func(url string) []string { return []string{url, "--header-file", secret} }},
		{"a password", "Authorization", basic, func(url string) []string { return []string{strings.Replace(url, "//", "//user:pass@", 1)} }},
		{"another host", "Host", "shop.example", func(url string) []string { return []string{url, "--header=host: shop.example"} }},
		{"another accept", "Accept", "*/*", func(url string) []string { return []string{url, "--header=Accept: */*"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := guarded(t, test.header, test.has)
			if stdout, stderr, status := outcome(t, append([]string{"check"}, test.args(s.URL)...)...); status != 0 || strings.Contains(stdout+stderr, "pass@") {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
			if _, stderr, status := outcome(t, "check", s.URL); status != 1 || !strings.Contains(stderr, "the server answered 401") {
				t.Errorf("without it: status %d, stderr %q", status, stderr)
			}
		})
	}
}

// No message repeats a password or a token.
func TestSecretsAreNotShown(t *testing.T) {
	for _, args := range [][]string{
		{"http://user:hunter2@127.0.0.1:1/"},
		{"http://user:hunter2@127.0.0.1:1/\x7f"},
		{"http://user:hunter2/x@127.0.0.1:1/"},
		{"http://127.0.0.1:1/", "--header-file", file(t, "hunter2\n")},
		{"http://127.0.0.1:1/", "--header-file", file(t, "A: hunter2\x01\n")},
		{"http://127.0.0.1:1/", "--ca", file(t, "hunter2\n")},
		{"http://127.0.0.1:1/", "--cert", file(t, "hunter2\n")},
		{"http://127.0.0.1:1/", "--header-file", file(t, strings.Repeat("A: hunter2\n", 1<<17))},
	} {
		for _, verb := range []string{"check", "lint", "diff"} {
			given := append([]string{verb}, args...)
			if verb == "diff" {
				given = append(given, file(t, rightText))
			}
			stdout, stderr, status := outcome(t, given...)
			if status != 1 || strings.Contains(stdout+stderr, "hunter2") || stderr == "" {
				t.Errorf("%.80q: status %d, stdout %q, stderr %q", given, status, stdout, stderr)
			}
		}
	}
}

// A redirect to a server that the user did not name does not take the headers along.
func TestRedirectsKeepHeaders(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
	}{{"X-Token", 1}, {"Authorization", 1}} {
		other := guarded(t, test.name, "abc")
		first := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
		defer first.Close()
		if _, stderr, status := outcome(t, "check", first.URL, "--header", test.name+": abc"); status != test.status || !strings.Contains(stderr, "401") {
			t.Errorf("%s: status %d, stderr %q", test.name, status, stderr)
		}
	}
	turn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/metrics", http.StatusFound)
			return
		}
		_, _ = fmt.Fprintf(w, "a{token=%q} 1\n", r.Header.Get("X-Token"))
	}))
	defer turn.Close()
	if stdout, stderr, status := outcome(t, "convert", "--to=text", turn.URL, "--header", "X-Token: abc"); status != 0 || !strings.Contains(stdout, `token="abc"`) {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestTrust(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, rightText)
	}))
	defer s.Close()
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	if stdout, stderr, status := outcome(t, "check", "--ca", ca, s.URL); status != 0 {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if _, stderr, status := outcome(t, "check", s.URL); status != 1 || !strings.Contains(stderr, "certificate") {
		t.Errorf("without --ca: status %d, stderr %q", status, stderr)
	}
}

func TestHeadersThatAreNone(t *testing.T) {
	for _, given := range []string{"", "a", ":", ": a", "a b: c", "a: b\nc", "ü: a", strings.Repeat("a", 10)} {
		if _, stderr, status := outcome(t, "check", "--header="+given, os.DevNull); status != 2 || !strings.HasPrefix(stderr, "telltale: --header: ") {
			t.Errorf("%q: status %d, stderr %q", given, status, stderr)
		}
	}
}

// serveSocket serves a page at a Unix socket and returns unix: and its path.
func serveSocket(t *testing.T, h http.Handler) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Skip(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}}
	s.Start()
	t.Cleanup(s.Close)
	return unixPrefix + path
}

func TestPagesAtSockets(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // which sockets are not behind
	asked := make(chan string, 2)                // diff asks twice
	page := serveSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host + r.URL.Path + " " + r.Header.Get("X-Scope")
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, rightText)
	}))
	for _, args := range [][]string{
		{"check", page}, {"lint", "--disable=help", page}, {"convert", "--to=json", page}, {"diff", page, page}, {"catalogue", page}, {"watch", "--once", page},
	} {
		stdout, stderr, status := outcome(t, append(args, "--header=X-Scope: a")...)
		if status != 0 || len(asked) == 0 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
		for range len(asked) {
			if got := <-asked; got != "localhost/metrics a" {
				t.Errorf("%q asks for %q", args, got)
			}
		}
	}
	if _, stderr, status := outcome(t, "check", page+"-none"); status != 1 || !strings.Contains(stderr, "-none: dial unix") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if _, stderr, status := outcome(t, "check", unixPrefix); status != 1 || !strings.Contains(stderr, "no path") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}

// No server decides which socket of this machine is asked, or what a socket stands for.
func TestRedirectsToAndFromSockets(t *testing.T) {
	socket := serveSocket(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "secret 1\n") }))
	stands, err := newTarget(socket, nil)
	if err != nil {
		t.Fatal(err)
	}
	there := http.RedirectHandler(stands.url.String(), http.StatusFound)
	host := httptest.NewServer(there)
	defer host.Close()
	file := httptest.NewServer(http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	defer file.Close()
	for _, from := range []string{host.URL, serveSocket(t, there), serveSocket(t, http.RedirectHandler(host.URL, http.StatusFound)), file.URL} {
		stdout, stderr, status := outcome(t, "convert", "--to=text", from)
		if status != 1 || strings.Contains(stdout, "secret") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, stdout %q, stderr %q", from, status, stdout, stderr)
		}
	}
}

func TestScrapeConfigOfVerbs(t *testing.T) {
	const basic = "Basic dXNlcjpwYXNz" // user:pass
	s := guarded(t, "Authorization", basic)
	login := file(t, "basic_auth: {username: user, password: pass}\n")
	if stdout, stderr, status := outcome(t, "check", "--scrape-config", login, s.URL); status != 0 {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	away := httptest.NewServer(http.RedirectHandler(s.URL, http.StatusFound))
	defer away.Close()
	following := file(t, "basic_auth: {username: user, password: pass}\nfollow_redirects: true\n")
	for given, want := range map[string]string{login: "the server answered 302 Found", following: "which is not followed", file(t, "basic_auth: pass\n"): "cannot unmarshal"} {
		if _, stderr, status := outcome(t, "check", "--scrape-config", given, away.URL); status != 1 || !strings.Contains(stderr, want) || strings.Contains(stderr, "pass") {
			t.Errorf("status %d, stderr %q, want %q", status, stderr, want)
		}
	}
}

// What a server of tokens (OAuth 2.0) repeats of the secret that it was asked with is not
// told.
func TestSecretsOfTokenServers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		http.Error(w, "asked with ["+r.FormValue("client_secret")+password+"] for "+r.FormValue("audience"), http.StatusUnauthorized)
	}))
	defer server.Close()
	config := file(t, "oauth2: {client_id: ada, client_secret: 's3cret &more', token_url: '"+server.URL+"', endpoint_params: {audience: shop}}\n")
	needInterrupts(t)
	const want = "asked with [<secret>] for"
	if _, stderr, status := outcome(t, "check", "--scrape-config", config, "http://localhost:1/"); status != 1 || !strings.Contains(stderr, want) || strings.Contains(stderr, "s3cret") {
		t.Errorf("check: status %d, %s", status, stderr)
	}
	page := guarded(t, "Host", "localhost")
	s := sending(t, "--scrape", page.URL, "--to", "pushgateway+localhost:1", "--http-config", config, "--every=10ms")
	eventually(t, func() bool { return strings.Contains(s.stderr.String(), want) }, "an answer is told")
	if _, stderr, _ := s.end(os.Interrupt); strings.Contains(stderr, "s3cret") {
		t.Errorf("send: %s", stderr)
	}
}
