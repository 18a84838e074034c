// Package endpoint sends requests to an HTTP server that takes metrics: it knows the
// server's address, how to authenticate, and which of that is secret.
package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Endpoint is a server. It is set up before its first request; then all methods are
// safe for concurrent use.
type Endpoint struct {
	client    http.Client
	given     bool                // the client is the caller's
	authorize func(*http.Request) // nil without authentication
	header    http.Header         // of all requests
	secrets   secrets
}

// SetAddress takes an address apart, such as "https://gateway:9091"; without a scheme
// it is http. A user and a password in it authenticate. It returns the address without
// them. Errors do not show the address, since it may have a password.
func (e *Endpoint) SetAddress(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the address is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the scheme of the address is neither http nor https")
	case u.Host == "":
		return nil, errors.New("the address has no host")
	case u.Fragment != "":
		return nil, errors.New("the address has a fragment")
	}
	if user := u.User; user != nil {
		password, _ := user.Password()
		if err := e.BasicAuth(user.Username(), password); err != nil {
			return nil, err
		}
	}
	u.User = nil
	return u, nil
}

// HideQuery keeps the values of an address's query out of errors, and names that have no
// value. It returns the address and, for errors, the address without the query.
func (e *Endpoint) HideQuery(u *url.URL) (address, name string) {
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		secret := cmp.Or(value, name)
		e.Hide(secret)
		if plain, err := url.QueryUnescape(secret); err == nil {
			e.Hide(plain)
		}
	}
	address = u.String()
	shown := *u
	shown.RawQuery, shown.ForceQuery = "", false
	return address, shown.String()
}

// reserved are the headers that the client or a protocol sets.
var reserved = []string{"Authorization", "Content-Encoding", "Content-Length", "Content-Type", "Host", "User-Agent"}

// AddHeader adds a header, whose value is secret, to all requests. It is an error if
// the client sets the header itself, or if it is one of others.
func (e *Endpoint) AddHeader(name, value string, others ...string) error {
	name = http.CanonicalHeaderKey(name)
	switch {
	case name == "", slices.Contains(reserved, name), slices.ContainsFunc(others, func(o string) bool { return http.CanonicalHeaderKey(o) == name }):
		return fmt.Errorf("the header %q cannot be set", name)
	case strings.ContainsFunc(name, notOfToken), strings.ContainsFunc(value, control):
		return fmt.Errorf("the header %q or its value cannot be sent", name)
	}
	if e.header == nil {
		e.header = make(http.Header)
	}
	e.header.Set(name, value)
	e.Hide(value)
	return nil
}

// notOfToken reports whether names of headers cannot have a character.
func notOfToken(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// control reports whether values of headers cannot have a character.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// BasicAuth authenticates by a user and a password.
func (e *Endpoint) BasicAuth(user, password string) error {
	if strings.Contains(user, ":") {
		return errors.New("a user's name has no colon")
	}
	e.authorize = func(r *http.Request) { r.SetBasicAuth(user, password) }
	e.secrets.add(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
	e.Hide(password)
	return nil
}

// BearerToken authenticates by a token.
func (e *Endpoint) BearerToken(token string) error {
	if token == "" || strings.ContainsFunc(token, control) {
		return errors.New("the token is empty, or has more than one line or another control character")
	}
	e.authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	e.secrets.add(token)
	return nil
}

// Hide keeps a secret, in each way that a URL may spell it, out of errors and answers.
func (e *Endpoint) Hide(secret string) {
	if secret != "" {
		e.secrets.add(secret, url.QueryEscape(secret), url.PathEscape(secret))
	}
}

// Client sends through a client of the caller's.
func (e *Endpoint) Client(c *http.Client) error {
	if c == nil {
		return errors.New("the client is nil")
	}
	e.client, e.given = *c, true
	return nil
}

// TLS sets what TLS connections trust, and the client's own certificates.
func (e *Endpoint) TLS(config *tls.Config) error {
	if config == nil {
		return errors.New("the TLS configuration is nil")
	}
	e.client.Transport = bounded(&http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: config.Clone(), IdleConnTimeout: 90 * time.Second,
	})
	return nil
}

// What the own transports take of a server.
const (
	longestHeaders = 64 << 10         // bytes
	quiet          = 30 * time.Second // after which a connection of HTTP/2 is asked for a sign of life
	lastAnswer     = 15 * time.Second // of a connection that is asked
)

// bounded gives a transport its limits. Without a sign of life, requests would go on to a
// connection of HTTP/2 whose other end is gone for as long as TCP tries to send to it.
func bounded(t *http.Transport) *http.Transport {
	t.MaxResponseHeaderBytes = longestHeaders
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: quiet, PingTimeout: lastAnswer}
	return t
}

// Keep keeps up to n connections open between requests, for as many goroutines that
// send, until [Endpoint.Close], unless the client is the caller's.
func (e *Endpoint) Keep(n int) {
	if e.given {
		return
	}
	t, own := e.client.Transport.(*http.Transport)
	if e.client.Transport == nil {
		if t, own = http.DefaultTransport.(*http.Transport); own {
			t = bounded(t.Clone())
		}
	}
	if own {
		t.MaxIdleConnsPerHost, t.MaxIdleConns = n, max(n, t.MaxIdleConns)
		e.client.Transport = t
	}
}

// Close closes the connections that [Endpoint.Keep] keeps. Later requests open others.
func (e *Endpoint) Close() {
	if t, ok := e.client.Transport.(*http.Transport); ok && !e.given {
		t.CloseIdleConnections()
	}
}

// longestAnswer is how many bytes of an answer are read.
const longestAnswer = 1 << 10

// Answer is what a server answered.
type Answer struct {
	Code   int
	Header http.Header
	Body   string // the beginning, without secrets
	Raw    []byte // the beginning as it came, which may have secrets

	secrets secrets // of the request
}

// Redacted returns text of the answer without secrets.
func (a *Answer) Redacted(text string) string { return a.secrets.redacted(text) }

// Accepted reports whether the status is one of success. A redirect is none: the
// client would send a GET there, and take its 200 for success.
func (a *Answer) Accepted() bool { return a.Code/100 == 2 }

// RetryAfter returns how long the server asks to wait, in seconds or until a date, at
// most twelve days; 0 if it does not ask.
func (a *Answer) RetryAfter() time.Duration {
	const longest = 1 << 20 // seconds
	text := a.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, longest)) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(date)), longest*time.Second)
	}
	return 0
}

// Send sends a request with a body and headers besides those of authentication. Errors
// are without secrets, and so is what they quote of an answer.
func (e *Endpoint) Send(ctx context.Context, method, address string, header http.Header, body []byte) (*Answer, error) {
	var added sent
	if e.given {
		ctx = added.watch(ctx)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, e.Told(err)
	}
	r.Header = make(http.Header)
	maps.Copy(r.Header, header)
	maps.Copy(r.Header, e.header)
	r.Header.Set("User-Agent", "telltale")
	if e.authorize != nil {
		e.authorize(r)
	}
	client := e.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		return nil, shortened(told(err, e.with(&added, header)))
	}
	defer func() { _ = answer.Body.Close() }()
	var text []byte
	if answer.StatusCode != http.StatusSwitchingProtocols { // whose body is a connection, which no context ends
		text, err = io.ReadAll(io.LimitReader(answer.Body, longestAnswer)) // an answer cut off is not worse than none
	}
	all := e.with(&added, header)
	if err != nil || len(text) == longestAnswer {
		text = all.withoutPart(text)
	}
	return &Answer{answer.StatusCode, answer.Header, strings.TrimSpace(all.redacted(string(text))), text, all}, nil
}

// with returns the secrets, and those that the client has added to a request, whose own
// headers are no secrets.
func (e *Endpoint) with(added *sent, own http.Header) secrets {
	if !e.given {
		return e.secrets
	}
	return added.secrets(e.secrets, own)
}

// Told returns an error without secrets and without the address, which the caller says;
// nor does it show a proxy's address that is not valid, since it may have a password.
func (e *Endpoint) Told(err error) error { return told(err, e.secrets) }

// longestError is how many bytes of an error are told.
const longestError = 1 << 10

// shortened bounds the text of an error, in which what a server has sent may be.
func shortened(err error) error {
	text := err.Error()
	if n := len(text) - longestError; n > 0 {
		return fmt.Errorf("%s (and %d bytes more)", strings.ToValidUTF8(text[:longestError], ""), n)
	}
	return err
}

// told returns an error without secrets, without the address and without what differs
// from one connection to the next.
func told(err error, secrets secrets) error {
	const proxy = "invalid proxy address" // of the standard library's errors
	secrets = secrets.and(quotedRequest(err))
	for of := (*url.Error)(nil); errors.As(err, &of); err = of.Err {
		if of.Op == "parse" {
			return errors.New("an address is not a URL")
		}
	}
	if of := (*net.OpError)(nil); errors.As(err, &of) && of.Source != nil {
		same := *of
		same.Source = nil // another port each time
		err = &same
	}
	if before, _, is := strings.Cut(err.Error(), proxy); is {
		err = errors.New(before + proxy)
	}
	if text := err.Error(); secrets.redacted(text) != text {
		return errors.New(secrets.redacted(text))
	}
	return err
}

// Wrap returns an error that says what was tried where. The error in it is one of
// [Endpoint.Send], or has no text of the server but what is [Answer.Redacted].
func (e *Endpoint) Wrap(method, address string, err error) error {
	return fmt.Errorf("push: %s %s: %w", method, address, err)
}
