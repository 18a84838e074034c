package push

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"telltale/exposition"
	"telltale/model"
)

// Option is an option of [NewGateway].
type Option interface{ apply(*Gateway) error }

type option func(*Gateway) error

func (o option) apply(g *Gateway) error { return o(g) }

// The defaults of the options.
const (
	DefaultTimeout = 30 * time.Second
	DefaultMaxBody = 64 << 20 // bytes
)

// WithGrouping adds a label to the grouping key, by which the gateway keeps what
// different pushers have sent apart. It is an error if the name is no legacy label
// name, is "job" or is given twice, or if the value is not valid UTF-8.
func WithGrouping(label, value string) Option {
	return option(func(g *Gateway) error {
		switch {
		case !model.LegacyLabelName(label) || strings.HasPrefix(label, "__"):
			return fmt.Errorf("%q cannot be a grouping label", label)
		case label == jobLabel:
			return errors.New("the job is the second argument of NewGateway")
		case !utf8.ValidString(value):
			return fmt.Errorf("the value %q of the grouping label %q is not valid UTF-8", value, label)
		}
		for _, have := range g.grouping {
			if have[0] == label {
				return fmt.Errorf("the grouping label %q is given twice", label)
			}
		}
		g.grouping = append(g.grouping, [2]string{label, value})
		return nil
	})
}

// WithExportedLabels sends labels of series that the grouping key has too under names with
// "exported_" before them, as Prometheus names labels that it has a value of its own for.
// Without it a series with such a label is an error, since the gateway would overwrite it.
func WithExportedLabels() Option {
	return option(func(g *Gateway) error { g.exported = true; return nil })
}

// WithBasicAuth authenticates by a user and a password.
func WithBasicAuth(user, password string) Option {
	return option(func(g *Gateway) error { return g.endpoint.BasicAuth(user, password) })
}

// WithBearerToken authenticates by a token.
func WithBearerToken(token string) Option {
	return option(func(g *Gateway) error { return g.endpoint.BearerToken(token) })
}

// WithClient sends through a client of the caller's, such as one with certificates,
// a proxy or headers of its own. Redirects are refused all the same.
func WithClient(c *http.Client) Option {
	return option(func(g *Gateway) error { return g.endpoint.Client(c) })
}

// WithTLS sets what TLS connections trust, and the client's own certificates (mTLS).
// It is not for use beside [WithClient].
func WithTLS(config *tls.Config) Option {
	return option(func(g *Gateway) error { return g.endpoint.TLS(config) })
}

// WithGzip compresses what is sent.
func WithGzip() Option {
	return option(func(g *Gateway) error { g.gzip = true; return nil })
}

// WithFormat sets the format in which metrics are sent: [exposition.Text004], the
// default, which every gateway reads, or [exposition.Protobuf] for native histograms.
func WithFormat(f exposition.Format) Option {
	return option(func(g *Gateway) error { g.format = f; return nil })
}

// WithTimeout sets how long a request may take, its collection included;
// [DefaultTimeout] without it.
func WithTimeout(d time.Duration) Option {
	return option(func(g *Gateway) error {
		if d <= 0 {
			return fmt.Errorf("the timeout %v is not positive", d)
		}
		g.timeout = d
		return nil
	})
}

// WithMaxBody sets how many bytes of metrics, before compression, are sent at most;
// [DefaultMaxBody] without it. A push of more fails.
func WithMaxBody(bytes int) Option {
	return option(func(g *Gateway) error {
		if bytes <= 0 {
			return fmt.Errorf("the limit of %d bytes is not positive", bytes)
		}
		g.maxBody = bytes
		return nil
	})
}
