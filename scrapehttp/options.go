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

// settings holds the options of a handler.
type settings struct {
	timeout         time.Duration
	shortestTimeout time.Duration
	longestTimeout  time.Duration
	writeTimeout    time.Duration
	minWriteRate    int
	bodyTimeout     time.Duration
	maxInFlight     int
	maxPerPeer      int
	query           QueryLimits
	maxAccept       int
	codings         []Coding
	created         bool
	hook            func(error)
}

// serverSettings holds the options of a server.
type serverSettings struct {
	settings
	listening      func(net.Addr)
	maxConnections int
	grace          time.Duration
}

// The defaults of the options.
const (
	DefaultTimeout         = 10 * time.Second
	DefaultShortestTimeout = 500 * time.Millisecond
	DefaultLongestTimeout  = 2 * time.Minute
	DefaultWriteTimeout    = 10 * time.Second
	DefaultMinWriteRate    = 64 << 10 // bytes a second
	DefaultBodyTimeout     = 2 * time.Second
	DefaultMaxInFlight     = 40
	DefaultMaxPerPeer      = 0 // no limit
	DefaultQueryBytes      = 64 << 10
	DefaultQueryParameters = 1024
	DefaultNameBytes       = 1024
	DefaultMaxAccept       = 8 << 10 // bytes
	DefaultMaxConnections  = 512
	DefaultGrace           = 10 * time.Second
)

func defaults() settings {
	return settings{
		timeout:         DefaultTimeout,
		shortestTimeout: DefaultShortestTimeout,
		longestTimeout:  DefaultLongestTimeout,
		writeTimeout:    DefaultWriteTimeout,
		minWriteRate:    DefaultMinWriteRate,
		bodyTimeout:     DefaultBodyTimeout,
		maxInFlight:     DefaultMaxInFlight,
		maxPerPeer:      DefaultMaxPerPeer,
		query:           QueryLimits{}.effective(),
		maxAccept:       DefaultMaxAccept,
		codings:         []Coding{Zstd, Gzip},
	}
}

type handlerOption func(*settings)

func (o handlerOption) applyHandler(s *settings)      { o(s) }
func (o handlerOption) applyServer(s *serverSettings) { o(&s.settings) }

type serverOption func(*serverSettings)

func (o serverOption) applyServer(s *serverSettings) { o(s) }

// WithTimeout sets the handler's own timeout: how long collecting may take where
// the scraper does not say how long it waits, in the header
// X-Prometheus-Scrape-Timeout-Seconds. If the scraper says so, collecting may
// take that long, less a tenth of it (half a second at most) for the way back,
// within the bounds of [WithTimeoutRange]. A header that is not one positive
// number says nothing. Zero or less means no limit. The default is
// [DefaultTimeout].
//
// A collector counts as hung only once it has run for longer than the handler's
// own timeout: a scraper that does not wait as long misses its families, and
// takes them from no other scraper.
func WithTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.timeout = d })
}

// WithTimeoutRange sets within which bounds a scraper may choose how long
// collecting takes. It cannot shorten the time to less than shortest, or to less
// than the handler's own timeout if that is less still. It cannot lengthen the
// time beyond longest, or beyond the handler's own timeout if that is more. Zero
// or less as longest means that scrapers can only shorten the time. The defaults
// are [DefaultShortestTimeout] and [DefaultLongestTimeout].
func WithTimeoutRange(shortest, longest time.Duration) Option {
	return handlerOption(func(s *settings) { s.shortestTimeout, s.longestTimeout = shortest, longest })
}

// WithWriteTimeout sets how long a client may take to receive one chunk of the
// page, some 32 KiB before compression; one that takes longer is cut off. Zero
// or less means no limit, and no least rate ([WithMinWriteRate]). The default is
// [DefaultWriteTimeout].
//
// The write deadline of the request, which [http.Server] sets by its own
// WriteTimeout, is replaced: a big page may take longer altogether. Where the
// [http.ResponseWriter] hides its connection, having no Unwrap method, there are
// no deadlines: a client that reads too slowly is cut off only when it takes
// something at last, and one that reads nothing is the server's to cut off.
func WithWriteTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.writeTimeout = d })
}

// WithMinWriteRate sets how many bytes a second of a page, as compressed, a
// client must take on the whole. A client may keep the handler waiting for one
// write timeout; what it takes earns that time back, one second for each bytesPerSecond bytes.
// So a page of n bytes takes at most the write timeout and n divided by the rate,
// beside what collecting takes. Zero or less means no least rate. The default is
// [DefaultMinWriteRate].
func WithMinWriteRate(bytesPerSecond int) Option {
	return handlerOption(func(s *settings) { s.minWriteRate = bytesPerSecond })
}

// WithBodyTimeout sets how long the body of a request may keep its connection
// busy, once when the request begins and once more after the answer. Bodies are
// never read and their connections closed, but net/http takes what is on its way
// so that the client can read the answer. Zero or less means no limit but the
// server's own. The default is [DefaultBodyTimeout]. It has no effect where the
// [http.ResponseWriter] hides its connection, having no Unwrap method.
func WithBodyTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.bodyTimeout = d })
}

// WithMaxInFlight sets how many scrapes may be under way at once; one too many
// is answered with 503 and a Retry-After header. Zero or less means no limit.
// The default is [DefaultMaxInFlight].
func WithMaxInFlight(n int) Option {
	return handlerOption(func(s *settings) { s.maxInFlight = n })
}

// WithMaxInFlightPerPeer sets how many scrapes may be under way at once for one
// peer; one too many is answered with 429 and a Retry-After header. A peer is an
// IPv4 address or, because a client with one IPv6 address usually has its whole
// network, the first 64 bits of an IPv6 address; of link-local addresses all
// bits. Peers on Unix sockets, and others without an IP address, have no limit.
// Zero or less means no limit, which is the default.
//
// Behind a proxy that connects by TCP all clients are one peer: leave it unset
// there. Headers that name another client, such as X-Forwarded-For, are not
// looked at, but a middleware that sets RemoteAddr from them is believed.
func WithMaxInFlightPerPeer(n int) Option {
	return handlerOption(func(s *settings) { s.maxPerPeer = n })
}

// WithQueryLimits sets the limits of a request's query; one that is beyond them
// is answered with 400.
func WithQueryLimits(limits QueryLimits) Option {
	return handlerOption(func(s *settings) { s.query = limits.effective() })
}

// WithMaxAccept sets how many bytes each of the headers Accept and
// Accept-Encoding may have, all its lines together; a request with more is
// answered with 431. Zero or less means no limit. The default is
// [DefaultMaxAccept].
func WithMaxAccept(bytes int) Option {
	return handlerOption(func(s *settings) { s.maxAccept = bytes })
}

// WithCodings sets with what a page may be compressed, in order of preference:
// the first wins where the client likes several equally well. None means that
// pages are not compressed, which suits a program behind a proxy or a middleware
// that does it. The default is [Zstd], then [Gzip]. See the package's
// documentation for what middlewares have to observe.
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

// WithErrorHook sets a function that is called for every scrape that failed, clients that were
// cut off or went away included ([os.ErrDeadlineExceeded] and
// [context.Canceled] tell them from others), and as [*DropError], once for each
// family, sample, reason and format, of what a format could not hold; after 1,000
// different ones it is not called for others. It is called on the request's goroutine, from
// several at once, and should be quick. A hook that panics is contained: what it
// panicked with is lost. What a registry left out it tells its own hook.
func WithErrorHook(hook func(error)) Option {
	return handlerOption(func(s *settings) { s.hook = hook })
}

// WithListening has f called with the address that the server listens on, before
// the first request is served. It tells the port where that was left open, as in
// "127.0.0.1:0". If f panics, the error hook is called with the panic, and the server goes on.
func WithListening(f func(net.Addr)) ServerOption {
	return serverOption(func(s *serverSettings) { s.listening = f })
}

// WithMaxConnections sets how many connections a server has at once. Where one
// more is opened, the one is closed that has had no request for the longest time,
// but for a second at least; if there is none, the new connection waits, and is
// closed when it has waited a second. Zero or less means no limit. The default is
// [DefaultMaxConnections]. It uses the server's ConnState: a program that sets
// that field of a [NewServer] has no limit.
func WithMaxConnections(n int) ServerOption {
	return serverOption(func(s *serverSettings) { s.maxConnections = n })
}

// WithGrace sets how long [Serve] waits at the end for the scrapes under way;
// those that take longer are cut off. The default is [DefaultGrace].
func WithGrace(d time.Duration) ServerOption {
	return serverOption(func(s *serverSettings) { s.grace = d })
}
