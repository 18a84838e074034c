package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"telltale"
	"telltale/exposition"
	"telltale/internal/endpoint"
)

const jobLabel = "job"

// Gateway is a group of metrics in a Pushgateway. It is a [Target]. All methods are
// safe for concurrent use.
type Gateway struct {
	record
	base     string // with the path that the gateway is under
	job      string
	grouping [][2]string
	endpoint endpoint.Endpoint
	gzip     bool
	exported bool // labels of series that the grouping key has too
	format   exposition.Format
	timeout  time.Duration
	maxBody  int
}

// NewGateway returns the group of a job in the Pushgateway at an address such as
// "https://gateway:9091"; without a scheme it is http. A user and a password in the
// address authenticate. It is an error if the address has a query or a fragment, if
// the job is empty or not valid UTF-8, or if an option is not valid.
func NewGateway(address, job string, opts ...Option) (*Gateway, error) {
	g := &Gateway{job: job, format: exposition.Text004, timeout: DefaultTimeout, maxBody: DefaultMaxBody}
	switch {
	case job == "":
		return nil, errors.New("push: the job is empty")
	case !utf8.ValidString(job):
		return nil, fmt.Errorf("push: the job %q is not valid UTF-8", job)
	}
	if err := g.setAddress(address); err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	for _, o := range opts {
		if err := o.apply(g); err != nil {
			return nil, fmt.Errorf("push: %w", err)
		}
	}
	g.name = g.url()
	return g, nil
}

// setAddress takes the gateway's address.
func (g *Gateway) setAddress(address string) error {
	u, err := g.endpoint.SetAddress(address)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return errors.New("the address has a query")
	}
	g.base = strings.TrimRight(u.String(), "/")
	return nil
}

// url returns the address of the group.
func (g *Gateway) url() string {
	var b strings.Builder
	b.WriteString(g.base + "/metrics")
	for _, label := range append([][2]string{{jobLabel, g.job}}, g.grouping...) {
		b.WriteString(element(label[0], label[1]))
	}
	return b.String()
}

// element returns a label of the grouping key as a piece of a path. Values that a
// path cannot have, or that proxies would take for directories, are in base64.
func element(name, value string) string {
	switch {
	case value == "":
		return "/" + name + "@base64/="
	case strings.ContainsAny(value, "/\\") || value == "." || value == "..":
		return "/" + name + "@base64/" + base64.RawURLEncoding.EncodeToString([]byte(value))
	}
	return "/" + name + "/" + url.PathEscape(value)
}

// Push replaces the group by what c emits (PUT). Metrics of the group that c does not
// emit are gone from the gateway's page.
func (g *Gateway) Push(ctx context.Context, c telltale.Collector) error {
	return g.send(ctx, http.MethodPut, c)
}

// Add replaces those metrics of the group that have the names that c emits (POST); the
// others stay.
func (g *Gateway) Add(ctx context.Context, c telltale.Collector) error {
	return g.send(ctx, http.MethodPost, c)
}

// Adder returns the gateway as a target to which [Gateway.Add] pushes.
func (g *Gateway) Adder() Target { return adder{g} }

type adder struct{ *Gateway }

func (a adder) Push(ctx context.Context, c telltale.Collector) error { return a.Add(ctx, c) }

// Delete takes the group out of the gateway. A job that pushes at its end should not
// call it, since it would remove what it has pushed.
func (g *Gateway) Delete(ctx context.Context) error {
	return g.exchange(ctx, http.MethodDelete, nil)
}

func (g *Gateway) send(ctx context.Context, method string, c telltale.Collector) error {
	return g.attempt(func() error {
		ctx, cancel := context.WithTimeout(ctx, g.timeout)
		defer cancel()
		body, err := g.body(ctx, c)
		if err != nil {
			return g.endpoint.Wrap(method, g.name, g.endpoint.Told(err))
		}
		return g.exchange(ctx, method, body)
	})
}

// body returns the metrics as they are sent.
func (g *Gateway) body(ctx context.Context, c telltale.Collector) ([]byte, error) {
	var body bytes.Buffer
	var to io.Writer = &body
	var zip *gzip.Writer
	if g.gzip {
		zip = gzip.NewWriter(&body)
		to = zip
	}
	reserved := reserved{names: []string{jobLabel}, rename: g.exported}
	for _, label := range g.grouping {
		reserved.names = append(reserved.names, label[0])
	}
	if err := writePage(ctx, &limited{to: to, left: g.maxBody}, c, g.format, reserved); err != nil {
		return nil, err
	}
	if zip != nil {
		if err := zip.Close(); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}

// exchange sends a request and returns an error unless the server accepts it.
func (g *Gateway) exchange(ctx context.Context, method string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	header := make(http.Header)
	if body != nil {
		header.Set("Content-Type", g.format.ContentType())
		if g.gzip {
			header.Set("Content-Encoding", "gzip")
		}
	}
	answer, err := g.endpoint.Send(ctx, method, g.name, header, body)
	if err == nil && !answer.Accepted() {
		err = &StatusError{Code: answer.Code, RetryAfter: answer.RetryAfter(), Body: answer.Body}
	}
	if err != nil {
		return g.endpoint.Wrap(method, g.name, err)
	}
	return nil
}
