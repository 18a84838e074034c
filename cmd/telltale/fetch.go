package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/common/config"

	"telltale/exposition"
)

// fetching holds how URLs are read: who asks, and whom to trust.
type fetching struct {
	Header       []header `help:"Send this header to URLs; may be repeated. Other users may see it in the list of processes: secrets belong in --header-file." placeholder:"NAME:VALUE" sep:"none"`
	HeaderFile   operand  `help:"Send the headers in this file to URLs, one a line, such as \"Authorization: Bearer ...\"." placeholder:"FILE"`
	ScrapeConfig operand  `name:"scrape-config" help:"Fetch URLs with the TLS, authentication, proxy and headers in this file, by the names of Prometheus's scrape_config." placeholder:"FILE"`
	CA           operand  `name:"ca" help:"Trust the certificates in this PEM file, and not the system's, of https URLs." placeholder:"FILE"`
	Cert         operand  `help:"Show https servers the certificate in this PEM file." placeholder:"FILE"`
	Key          operand  `help:"The key of --cert, if it is in another file." placeholder:"FILE"`
	Timeout      span     `help:"Longest time to wait for a URL (${default}); 0 for no limit." default:"10s" placeholder:"DURATION"`

	clients *httpClients // made at the first URL
	headers http.Header
}

// maxSecrets is the largest file of headers, certificates or settings, in bytes.
const maxSecrets = 1 << 20

// header is a header of requests.
type header struct{ name, value string }

// UnmarshalText is called by kong.
func (h *header) UnmarshalText(text []byte) error {
	name, value, found := strings.Cut(string(text), ":")
	if !found {
		return errors.New("a header should look like NAME: VALUE")
	}
	h.name, h.value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case h.name == "" || strings.ContainsFunc(h.name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }):
		return fmt.Errorf("%q is no name of a header", h.name)
	case strings.ContainsFunc(h.value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return fmt.Errorf("the value of the header %s has characters that a header cannot have", h.name)
	}
	h.name = textproto.CanonicalMIMEHeaderKey(h.name)
	return nil
}

// Validate is called by kong, for verbs that have no Validate of their own.
func (f *fetching) Validate() error {
	if f.Key != "" && f.Cert == "" {
		return errors.New("--key is for --cert")
	}
	return nil
}

// isFetched reports whether a page is read by HTTP: a URL, or unix: and the path of a
// socket.
func isFetched(page string) bool { return isURL(page) || strings.HasPrefix(page, unixPrefix) }

func isURL(page string) bool {
	return strings.HasPrefix(page, "http://") || strings.HasPrefix(page, "https://")
}

// shown returns the name of a page for messages: printable, and a URL without its
// password.
func shown(page string) string {
	if page == "-" {
		return "stdin"
	}
	if at := strings.LastIndexByte(page, '@'); isURL(page) && at >= 0 {
		if u, err := url.Parse(page); err == nil {
			page = u.Redacted()
		} else {
			scheme, _, _ := strings.Cut(page, "://")
			page = scheme + "://" + page[at:]
		}
	}
	return printable(page)
}

// fetch gets the page from a URL or a socket.
func (r *reading) fetch(ctx context.Context, page string, d *document, got *amount) error {
	if err := r.connect(); err != nil {
		return err
	}
	within := ctx
	if r.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(r.Timeout))
		defer cancel()
		within = limited
	}
	err := r.get(within, page, d, got)
	switch {
	case err == nil:
		return nil
	case within.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("the page was not there after %v; --timeout raises the limit", time.Duration(r.Timeout))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server ended the page before its end")
	}
	return shortened(err)
}

// get gets the page.
func (r *reading) get(ctx context.Context, page string, d *document, got *amount) error {
	request, err := newRequest(ctx, page)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", d.format.accept())
	request.Header.Set("User-Agent", "telltale")
	for name, values := range r.headers {
		request.Header[name] = values
	}
	if host := r.headers.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := r.clients.do(request)
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // the outer error repeats the URL
	}
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	got.of.Store(max(response.ContentLength, 0))
	if d.content, err = r.all(got.through(response.Body)); err != nil {
		return err
	}
	contentType := response.Header.Get("Content-Type")
	f, known := exposition.FormatOf(contentType)
	switch {
	case d.format.name != auto:
		if known && !d.format.is(f) {
			d.diag.warn(fmt.Errorf("%s: the server says that it is %q; it is read as %s nevertheless", d.name, contentType, d.format.name))
		}
	case known:
		d.format = formatOf(f)
	default:
		d.diag.warn(fmt.Errorf("%s: the server says that it is %q, which is no format of metrics; the format is detected from the content", d.name, contentType))
	}
	return nil
}

// newRequest returns the request for a page.
func newRequest(ctx context.Context, page string) (*http.Request, error) {
	if !isURL(page) {
		socket, err := newTarget(page, nil)
		if err != nil {
			return nil, err
		}
		page = socket.url.String()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil && strings.Contains(page, "@") {
		return nil, errors.New("the URL has characters that a URL cannot have, or no valid port") // the error may repeat the password
	}
	return request, err
}

// connect makes the clients, once.
func (f *fetching) connect() error {
	if f.clients != nil {
		return nil
	}
	headers, err := f.read()
	if err != nil {
		return err
	}
	settings, err := f.settings()
	if err != nil {
		return err
	}
	f.headers = headers
	f.clients, err = newHTTPClients(settings, f.redirected)
	return err
}

// settings returns those of the file, if there is one, with the flags in their place.
func (f *fetching) settings() (config.HTTPClientConfig, error) {
	settings := config.DefaultHTTPClientConfig
	settings.ProxyFromEnvironment = true
	if f.ScrapeConfig != "" {
		read, err := readScrapeConfig(string(f.ScrapeConfig))
		if err != nil {
			return settings, err
		}
		settings = *read
	}
	if f.CA != "" {
		text, err := secret(f.CA)
		if err != nil {
			return settings, err
		}
		if !x509.NewCertPool().AppendCertsFromPEM(text) {
			return settings, fmt.Errorf("%s has no certificate in PEM", printable(string(f.CA)))
		}
		settings.TLSConfig.CA, settings.TLSConfig.CAFile = string(text), ""
	}
	if f.Cert == "" {
		return settings, nil
	}
	cert, err := secret(f.Cert)
	if err != nil {
		return settings, err
	}
	key := cert
	if f.Key != "" {
		if key, err = secret(f.Key); err != nil {
			return settings, err
		}
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return settings, fmt.Errorf("%s: %w", printable(string(f.Cert)), err)
	}
	own := &settings.TLSConfig
	own.Cert, own.CertFile, own.Key, own.KeyFile = string(cert), "", config.Secret(key), ""
	return settings, nil
}

// redirected keeps the headers from a server that the user did not name.
func (f *fetching) redirected(next *http.Request, via []*http.Request) error {
	if !sameServer(via[0].URL, next.URL) {
		next.Host = ""
		for name := range f.headers {
			next.Header.Del(name)
		}
	}
	return nil
}

// read returns the headers of the flags and of the file.
func (f *fetching) read() (http.Header, error) {
	all := http.Header{}
	for _, h := range f.Header {
		all.Add(h.name, h.value)
	}
	if f.HeaderFile == "" {
		return all, nil
	}
	text, err := secret(f.HeaderFile)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxSecrets+1)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var h header
		if h.UnmarshalText(line) != nil { // whose text may repeat a secret
			return nil, fmt.Errorf("%s:%d: a header should look like NAME: VALUE", printable(string(f.HeaderFile)), n)
		}
		all.Add(h.name, h.value)
	}
	return all, lines.Err()
}

// secret reads a file of headers, certificates or settings, which may be a pipe.
func secret(path operand) ([]byte, error) {
	f, err := os.Open(string(path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // closing a file that was only read does not matter
	text, err := io.ReadAll(io.LimitReader(f, maxSecrets+1))
	if err == nil && len(text) > maxSecrets {
		err = fmt.Errorf("%s has more than %d bytes", printable(string(path)), maxSecrets)
	}
	return text, err
}
