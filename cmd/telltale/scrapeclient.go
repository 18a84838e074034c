package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	receiver "telltale/internal/endpoint"
)

// httpClients get pages from hosts, and from Unix sockets, which no proxy and no redirect
// reaches.
type httpClients struct{ hosts, sockets *http.Client }

// newHTTPClients returns clients by settings, whose files with passwords or certificates
// they read again by themselves. Where the settings say that redirects are followed,
// redirected is asked about each, as http.Client.CheckRedirect.
func newHTTPClients(settings config.HTTPClientConfig, redirected func(next *http.Request, via []*http.Request) error) (*httpClients, error) {
	var c httpClients
	var err error
	if c.hosts, err = newHTTPClient(settings, (&net.Dialer{}).DialContext); err != nil {
		return nil, err
	}
	secret := settings.BasicAuth != nil || settings.Authorization != nil || settings.OAuth2 != nil || settings.HTTPHeaders != nil
	settings.ProxyConfig = config.ProxyConfig{}
	if c.sockets, err = newHTTPClient(settings, dialSocket); err != nil {
		return nil, err
	}
	if settings.FollowRedirects {
		check := func(next *http.Request, via []*http.Request) error {
			if err := allowed(next.URL, via, secret); err != nil {
				return err
			}
			return redirected(next, via)
		}
		c.hosts.CheckRedirect, c.sockets.CheckRedirect = check, check
	}
	return &c, nil
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 10

// allowed returns an error for a redirect that is not followed: from or to a socket, and
// to another server than the first if the client sends secrets by itself.
func allowed(next *url.URL, via []*http.Request, secret bool) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("the server redirects more than %d times", maxRedirects)
	}
	first := via[0].URL
	if sameServer(first, next) {
		return nil
	}
	_, from := socketOf(first.Host)
	_, to := socketOf(next.Host)
	if from || to || secret {
		return fmt.Errorf("the server redirects to %.200q, which is not followed", next.Scheme+"://"+next.Host)
	}
	return nil
}

func sameServer(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

func newHTTPClient(settings config.HTTPClientConfig, dial config.DialContextFunc) (*http.Client, error) {
	client, err := config.NewClientFromConfig(settings, "telltale",
		config.WithDialContextFunc(dial), config.WithUserAgent("telltale"), config.WithIdleConnTimeout(2*time.Minute))
	if err == nil && settings.OAuth2 != nil {
		client.Transport = tokens{client.Transport}
	}
	return client, err
}

// tokens asks a server for tokens by itself. Its errors, which quote that server's
// answers, have no secret of the requests for them.
type tokens struct{ http.RoundTripper }

func (t tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, new(receiver.Endpoint).Told(err)
	}
	return response, nil
}

// CloseIdleConnections is called by http.Client.
func (t tokens) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// do sends a request to the host of its URL, or to the socket that it stands for.
func (c *httpClients) do(request *http.Request) (*http.Response, error) {
	if _, ok := socketOf(request.URL.Host); !ok {
		return c.hosts.Do(request)
	}
	if request.Host == request.URL.Host {
		request.Host = "localhost"
	}
	return c.sockets.Do(request)
}

func (c *httpClients) closeIdle() {
	c.hosts.CloseIdleConnections()
	c.sockets.CloseIdleConnections()
}

// scrapeClient is the HTTP client for targets, by the settings of a file, which may
// change.
type scrapeClient struct {
	file    string // may be empty
	current atomic.Pointer[httpClients]
}

func newScrapeClient(file string) (*scrapeClient, error) {
	c := &scrapeClient{file: file}
	return c, c.read()
}

// read reads the file again. If it cannot be used, the client stays.
func (c *scrapeClient) read() error {
	settings := config.DefaultHTTPClientConfig
	settings.FollowRedirects = false
	if c.file != "" {
		read, err := readScrapeConfig(c.file)
		if err != nil {
			return err
		}
		settings = *read
	}
	clients, err := newHTTPClients(settings, func(*http.Request, []*http.Request) error { return nil })
	if err != nil {
		return fmt.Errorf("%s: %w", printable(c.file), err)
	}
	if old := c.current.Swap(clients); old != nil {
		old.closeIdle()
	}
	return nil
}

// RoundTrip sends a request as the settings are now.
func (c *scrapeClient) RoundTrip(r *http.Request) (*http.Response, error) {
	return c.current.Load().hosts.Transport.RoundTrip(r)
}

// readScrapeConfig reads the settings of HTTP that Prometheus has in a scrape_config.
func readScrapeConfig(file string) (*config.HTTPClientConfig, error) {
	content, err := secret(operand(file))
	if err != nil {
		return nil, err
	}
	settings, err := parseScrapeConfig(content, filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable(file), withoutValues(err))
	}
	return settings, nil
}

func parseScrapeConfig(content []byte, dir string) (*config.HTTPClientConfig, error) {
	settings, err := config.LoadHTTPConfig(string(content))
	if err != nil {
		return nil, err
	}
	settings.SetDirectory(dir)
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	// A target that is not trusted must not choose what is scraped in its place.
	var said struct {
		FollowRedirects *bool `yaml:"follow_redirects"`
	}
	if err := yaml.Unmarshal(content, &said); err != nil {
		return nil, err
	}
	settings.FollowRedirects = said.FollowRedirects != nil && *said.FollowRedirects
	return settings, nil
}

// dialSocket connects to the Unix socket that an address stands for.
func dialSocket(ctx context.Context, _, address string) (net.Conn, error) {
	path, ok := socketOf(address)
	if !ok {
		return nil, fmt.Errorf("%q stands for no socket", address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", path)
}
