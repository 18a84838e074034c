package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// authority is a certificate authority of one test, with its files in a directory.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), pool: x509.NewCertPool()}
	a.cert, a.key = a.issue("ca", "ca")
	a.pool.AddCert(a.cert)
	return a
}

// issue writes {file}.crt and {file}.key; the first is the authority's own.
func (a *authority) issue(file, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	must := func(err error) {
		a.t.Helper()
		if err != nil {
			a.t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	a.n++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA: a.cert == nil, BasicConstraintsValid: true,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	secret, err := x509.MarshalECPrivateKey(key)
	must(err)
	must(os.WriteFile(a.path(file+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(os.WriteFile(a.path(file+".key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

func (a *authority) write(file, content string) string {
	a.t.Helper()
	if err := os.WriteFile(a.path(file), []byte(content), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return a.path(file)
}

// client returns a client that trusts the authority, with a certificate if file is not
// empty. It keeps no connections, so that each request shakes hands.
func (a *authority) client(file string) *http.Client {
	a.t.Helper()
	config := &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS12}
	if file != "" {
		cert, err := tls.LoadX509KeyPair(a.path(file+".crt"), a.path(file+".key"))
		if err != nil {
			a.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

// startAt runs a verb and waits for the first line that begins with the prefix.
func startAt(t *testing.T, prefix string, args ...string) (*server, string) {
	t.Helper()
	s := &server{t: t, process: command(t, args...)}
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.process.Stderr = &s.stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(stdout)
	for s.lines.Scan() {
		if line := strings.TrimSpace(s.lines.Text()); strings.HasPrefix(line, prefix) {
			s.url = line
			return s, line
		}
	}
	_ = s.process.Wait()
	t.Fatalf("no %s in what it says; stderr %q", prefix, s.stderr.String())
	return nil, ""
}

func status(t *testing.T, c *http.Client, url, user, password string) (string, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	response, err := c.Do(r)
	if err != nil {
		return "no answer: " + err.Error(), ""
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return response.Status, string(body)
}

// TLS, client certificates and passwords of the web configuration hold, for the page that
// draws, too, and files are read again.
func TestWebConfig(t *testing.T) {
	needInterrupts(t)
	a := newAuthority(t)
	a.issue("server", "shop")
	a.issue("client", "prometheus")
	stranger := newAuthority(t)
	stranger.issue("client", "stranger")
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	const tlsPart = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
	config := a.write("web.yml", tlsPart+"basic_auth_users:\n  prometheus: "+string(hash)+"\n")
	dir, _ := workers(t)
	s, url := startAt(t, "https://127.0.0.1:", "serve", "--dir", dir, "--live", "--listen", "127.0.0.1:0", "--web.config.file", config)
	good := a.client("client")
	for name, test := range map[string]struct {
		client         *http.Client
		path           string
		user, password string
		want           string
	}{
		"all right":               {good, "/metrics", "prometheus", "correct horse", "200 OK"},
		"the page that draws":     {good, "/live/", "prometheus", "correct horse", "200 OK"},
		"no password":             {good, "/metrics", "", "", "401 Unauthorized"},
		"no password for drawing": {good, "/live/data", "", "", "401 Unauthorized"},
		"another password":        {good, "/metrics", "prometheus", "battery staple", "401 Unauthorized"},
		"another user":            {good, "/metrics", "grafana", "correct horse", "401 Unauthorized"},
		"no certificate":          {a.client(""), "/metrics", "prometheus", "correct horse", "no answer: "},
		"another authority's":     {&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool, Certificates: stranger.client("client").Transport.(*http.Transport).TLSClientConfig.Certificates}}}, "/metrics", "prometheus", "correct horse", "no answer: "},
		"plain HTTP":              {client, "", "prometheus", "correct horse", "400 Bad Request"},
	} {
		at := strings.TrimSuffix(url, "/metrics") + test.path
		if test.path == "" {
			at = strings.Replace(url, "https:", "http:", 1)
		}
		if got, _ := status(t, test.client, at, test.user, test.password); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if _, page := status(t, good, url, "prometheus", "correct horse"); !strings.Contains(page, "\nserved_total 2.0\n") {
		t.Error(page)
	}
	// Another certificate, and another password.
	a.issue("server", "shop")
	other, err := bcrypt.GenerateFromPassword([]byte("battery staple"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	a.write("web.yml", tlsPart+"basic_auth_users:\n  prometheus: "+string(other)+"\n")
	conn, err := tls.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/metrics"), good.Transport.(*http.Transport).TLSClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	if serial := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); serial != a.n {
		t.Errorf("the certificate is number %d, want %d", serial, a.n)
	}
	_ = conn.Close()
	if got, _ := status(t, good, url, "prometheus", "battery staple"); got != "200 OK" {
		t.Error(got)
	}
	a.write("web.yml", tlsPart+"basic_auth_users: correct-horse\n")
	if got, _ := status(t, good, url, "prometheus", "battery staple"); got == "200 OK" {
		t.Error("a configuration that cannot be read lets scrapes pass")
	}
	_, stderr, end := s.end(syscall.SIGTERM)
	if end != 0 || strings.Contains(stderr, "horse") || strings.Contains(stderr, "battery") || strings.Contains(stderr, "$2a$") {
		t.Errorf("status %d, stderr %s", end, stderr)
	}
}

// A configuration that cannot be used is an error at the start, without its secrets.
func TestWebConfigsThatCannotBeUsed(t *testing.T) {
	a := newAuthority(t)
	dir, _ := workers(t)
	for name, test := range map[string]struct{ content, want string }{
		"no certificate":   {"tls_server_config:\n  cert_file: none.crt\n  key_file: none.key\n", "none.crt"},
		"an unknown field": {"tls_server_confg: {}\n", "field tls_server_confg not found"},
		"a plain password": {"basic_auth_users:\n  prometheus: hunter22\n", "bcrypt"},
		"no map of users":  {"basic_auth_users: hunter22\n", "cannot unmarshal"},
		"no YAML":          {"hunter22: [\n", "yaml"},
		"nothing there":    {"", "no such file"},
		"no file":          {"", "no regular file"},
	} {
		file := a.path("none.yml")
		if test.content != "" {
			file = a.write("web.yml", test.content)
		}
		if name == "no file" { // which may have no end
			file = os.DevNull
		}
		stdout, stderr, status := outcome(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--web-config", file)
		if status != 1 || stdout != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, "hunter22") || strings.Contains(stderr, "'h'") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", name, status, stdout, stderr)
		}
	}
}

// Targets are reached with the certificates, passwords and headers of a file by the names
// of Prometheus's scrape_config, over TCP and over Unix sockets.
func TestScrapeConfig(t *testing.T) {
	needInterrupts(t)
	a := newAuthority(t)
	a.issue("server", "shop")
	a.issue("client", "telltale")
	pair, err := tls.LoadX509KeyPair(a.path("server.crt"), a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	secured := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "telltale" || password != "open sesame" || r.Header.Get("X-Tenant") != "shop" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, "x 1\n")
	}))
	secured.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	secured.StartTLS()
	defer secured.Close()
	const settings = "tls_config:\n  ca_file: ca.crt\n  cert_file: client.crt\n  key_file: client.key\nbasic_auth:\n  username: telltale\n  password_file: password\nhttp_headers:\n  X-Tenant:\n    files: [tenant]\n"
	config := a.write("scrape.yml", settings)
	a.write("password", "open sesame\n")
	a.write("tenant", "shop\n")
	target := secured.Listener.Addr().String()
	s := start(t, "serve", "--listen", "127.0.0.1:0", "--scrape", "https://"+target, "--scrape.config.file", config, "--timeout", "5m", "--target-timeout", "1m")
	up := fmt.Sprintf("telltale_target_up{instance=%q}", target)
	if got := sample(scrape(t, s.url, "text/plain"), up); got != "1.0" {
		t.Errorf("up is %s", got)
	}
	a.write("password", "close sesame\n")
	if got := sample(scrape(t, s.url, "text/plain"), up); got != "0.0" {
		t.Errorf("with another password up is %s", got)
	}
	a.write("password", "open sesame\n")
	if got := sample(scrape(t, s.url, "text/plain"), up); got != "1.0" {
		t.Errorf("with the password again up is %s", got)
	}
	a.write("scrape.yml", "basic_auth: open-sesame\n")
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got := sample(scrape(t, s.url, "text/plain"), up); got != "1.0" {
			t.Fatalf("settings that cannot be read took the place of others: up is %s", got)
		}
	}
	_, stderr, status := s.end(os.Interrupt)
	if status != 0 || strings.Contains(stderr, "sesame") {
		t.Errorf("status %d, %s", status, stderr)
	}
	for content, want := range map[string]string{
		"basic_auth: open-sesame\n":                                             "cannot unmarshal",
		"basic_auth:\n  password: open-sesame\n  password_file: x\n":            "at most one of",
		"tls_config:\n  ca_file: none.crt\n":                                    "none.crt",
		"bearer_token: open-sesame\nauthorization:\n  credentials: open-sesame": "",
	} {
		_, stderr, status := outcome(t, "serve", "--listen", "127.0.0.1:0", "--scrape", "http://u:open-sesame@h", "--scrape-config", a.write("scrape.yml", content))
		if status != 1 || !strings.Contains(stderr, want) || strings.Contains(stderr, "sesame") {
			t.Errorf("%q: status %d, %s", content, status, stderr)
		}
	}
}

// A target cannot send the scraper elsewhere, and its errors tell no passwords.
func TestTargetsThatRedirect(t *testing.T) {
	needInterrupts(t)
	elsewhere := serveTarget(t, answer("text/plain", "secret 1\n"))
	target := serveTarget(t, http.RedirectHandler("http://"+elsewhere, http.StatusFound))
	s := start(t, "serve", "--listen", "127.0.0.1:0", "--scrape", "http://user:open-sesame@"+target)
	page := scrape(t, s.url, "text/plain")
	_, stderr, _ := s.end(os.Interrupt)
	if strings.Contains(page, "\nsecret") || !strings.Contains(page, `reason="status"} 1.0`) || !strings.Contains(stderr, "302") {
		t.Errorf("%s\n%s", stderr, page)
	}
	if strings.Contains(page+stderr, "sesame") || strings.Contains(page, "user") {
		t.Errorf("the password is told: %s", stderr)
	}
}

// shortDir returns a directory with a path short enough for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func overSocket(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: patience, Transport: transport}
}

// A page on a socket and on a port is one server's, and is scraped through the socket by
// another.
func TestUnixSockets(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	path := filepath.Join(shortDir(t), "metrics.sock")
	inner, at := startAt(t, unixPrefix, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--listen", unixPrefix+path, "--socket-mode", "0600")
	if at != unixPrefix+path {
		t.Errorf("it says %s", at)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", err, info)
	}
	if _, page := status(t, overSocket(t, path), "http://x/metrics", "", ""); !strings.Contains(page, "\nserved_total 2.0\n") {
		t.Error(page)
	}
	_, stderr, code := outcome(t, "serve", "--dir", dir, "--listen", unixPrefix+path)
	if code != 1 || !strings.Contains(stderr, "another process listens on "+path) {
		t.Errorf("a second one: status %d, %s", code, stderr)
	}
	outer := start(t, "serve", "--scrape", unixPrefix+path, "--listen", "127.0.0.1:0")
	if page := scrape(t, outer.url, "text/plain"); !strings.Contains(page, fmt.Sprintf("\nserved_total{instance=%q} 2.0\n", unixPrefix+path)) {
		t.Error(page)
	}
	outer.end(os.Interrupt)
	if err := inner.process.Process.Kill(); err != nil { // so that it leaves the socket
		t.Fatal(err)
	}
	_ = inner.process.Wait()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	again, _ := startAt(t, unixPrefix, "serve", "--dir", dir, "--listen", unixPrefix+path)
	if _, page := status(t, overSocket(t, path), "http://x/metrics", "", ""); !strings.Contains(page, "\nserved_total 2.0\n") {
		t.Error(page)
	}
	again.end(syscall.SIGTERM)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
}

// Sockets that systemd has opened are used, and in the place of the default address.
func TestSocketActivation(t *testing.T) {
	needInterrupts(t)
	dir, _ := workers(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(shortDir(t), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	unix.(*net.UnixListener).SetUnlinkOnClose(false)
	var files []*os.File
	for _, l := range []interface{ File() (*os.File, error) }{tcp.(*net.TCPListener), unix.(*net.UnixListener)} {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	addr := tcp.Addr().String()
	_ = tcp.Close() // the program has the only ones that listen
	_ = unix.Close()
	// The shell becomes the program, whose process id LISTEN_PID has to be.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@"`, program, "serve", "--dir", dir)
	c.ExtraFiles = files
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		_ = f.Close()
	}
	if got, page := status(t, client, "http://"+addr+"/metrics", "", ""); !strings.Contains(page, "\nserved_total 2.0\n") {
		t.Error(got, page)
	}
	if got, page := status(t, overSocket(t, path), "http://x/metrics", "", ""); !strings.Contains(page, "\nserved_total 2.0\n") {
		t.Error(got, page)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || !strings.Contains(out.String(), "http://"+addr+"/metrics") || strings.Contains(out.String(), "9464") {
		t.Errorf("%v: %s", err, out.String())
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("systemd's socket: %v", err)
	}
}
