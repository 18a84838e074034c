package scrapehttp

import (
	"net"
	"slices"
	"time"
)

// ServerOption is an option of [NewServer] and [Serve].
type ServerOption interface{ applyServer(*serverSettings) }

// Option is an option of [Handler], and so of [NewServer] and [Serve] too.
type Option interface {
	ServerOption
	applyHandler(*settings)
}

// settings is what the options of a handler say.
type settings struct {
	timeout      time.Duration
	writeTimeout time.Duration
	maxInFlight  int
	codings      []Coding
	created      bool
	hook         func(error)
}

// serverSettings is what the options of a server say.
type serverSettings struct {
	settings
	listening func(net.Addr)
	grace     time.Duration
}

// The defaults of the options.
const (
	DefaultTimeout      = 10 * time.Second
	DefaultWriteTimeout = 10 * time.Second
	DefaultMaxInFlight  = 40
	DefaultGrace        = 10 * time.Second
)

func defaults() settings {
	return settings{
		timeout:      DefaultTimeout,
		writeTimeout: DefaultWriteTimeout,
		maxInFlight:  DefaultMaxInFlight,
		codings:      []Coding{Zstd, Gzip},
	}
}

type handlerOption func(*settings)

func (o handlerOption) applyHandler(s *settings)      { o(s) }
func (o handlerOption) applyServer(s *serverSettings) { o(&s.settings) }

type serverOption func(*serverSettings)

func (o serverOption) applyServer(s *serverSettings) { o(s) }

// WithTimeout sets how long collecting may take where the scraper does not say
// how long it waits, in the header X-Prometheus-Scrape-Timeout-Seconds. If it
// says so, collecting may take that long, up to ten minutes, less a tenth of it
// (half a second at most) for the way back. Zero or less means no limit. The
// default is [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.timeout = d })
}

// WithWriteTimeout sets how long a client may take to receive one chunk of the
// page, some 32 KiB before compression; one that takes longer is cut off. Zero
// or less means no limit. The default is [DefaultWriteTimeout]. It has no effect
// where the [http.ResponseWriter] is one that hides its connection, without an
// Unwrap method.
//
// The write deadline of the request, which [http.Server] sets by its own
// WriteTimeout, is replaced: a big page may take longer altogether.
func WithWriteTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.writeTimeout = d })
}

// WithMaxInFlight sets how many scrapes may be under way at once; one too many
// is answered with 503 and a Retry-After header. Zero or less means no limit.
// The default is [DefaultMaxInFlight].
func WithMaxInFlight(n int) Option {
	return handlerOption(func(s *settings) { s.maxInFlight = n })
}

// WithCodings sets with what a page may be compressed, in order of preference:
// the first wins where the client likes several equally well. None means that
// pages are not compressed, which suits a program behind a proxy that does it.
// The default is [Zstd], then [Gzip].
func WithCodings(codings ...Coding) Option {
	codings = slices.Clone(codings)
	return handlerOption(func(s *settings) { s.codings = codings })
}

// WithCreated has the times when series began written in OpenMetrics, as samples
// of their own ("x_created"). Readers that do not know of them take them for
// series, so they are left out without it.
func WithCreated() Option {
	return handlerOption(func(s *settings) { s.created = true })
}

// WithErrorHook lets hook hear of every scrape that failed, clients that were
// cut off or went away included ([os.ErrDeadlineExceeded] and
// [context.Canceled] tell them from others), and as [*DropError] of what a
// format could not hold. It is called on the request's goroutine, from several
// at once, and should be quick. What a registry left out it tells its own hook.
func WithErrorHook(hook func(error)) Option {
	return handlerOption(func(s *settings) { s.hook = hook })
}

// WithListening has f called with the address that the server listens on, before
// the first request is served. It tells the port where that was left open, as in
// "127.0.0.1:0".
func WithListening(f func(net.Addr)) ServerOption {
	return serverOption(func(s *serverSettings) { s.listening = f })
}

// WithGrace sets how long [Serve] waits at the end for the scrapes under way;
// those that take longer are cut off. The default is [DefaultGrace].
func WithGrace(d time.Duration) ServerOption {
	return serverOption(func(s *serverSettings) { s.grace = d })
}
