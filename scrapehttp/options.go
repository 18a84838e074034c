package scrapehttp

import (
	"net"
	"net/http"
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
	maxWaiting      int
	longestWait     time.Duration
	query           QueryLimits
	maxAccept       int
	codings         []Coding
	created         bool
	shortBounds     bool
	failsOnFault    bool
	hook            func(error)
}

// serverSettings holds the options of a server.
type serverSettings struct {
	settings
	listen         listenSettings
	listening      func(net.Addr)
	maxConnections int
	grace          time.Duration
	mounts         []mount
}

// mount is a handler that a server has beside the metrics.
type mount struct {
	pattern string
	handler http.Handler
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
	DefaultMaxWaiting      = 1000
	DefaultLongestWait     = 2 * time.Second
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
		maxWaiting:      DefaultMaxWaiting,
		longestWait:     DefaultLongestWait,
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

// WithTimeout sets the handler's own timeout: how long collecting may take if
// the scraper does not send its timeout, in the header
// X-Prometheus-Scrape-Timeout-Seconds. If it does, collecting may take that
// long, less a tenth of it (half a second at most) for the transfer, within the
// bounds of [WithTimeoutRange]. A header that is not one positive number is
// ignored. Zero or less means no limit. The default is [DefaultTimeout].
//
// A collector counts as hung only once it has run for longer than the handler's
// own timeout: a scraper with a shorter timeout misses its families, and other
// scrapers still get them.
func WithTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.timeout = d })
}

// WithTimeoutRange sets the bounds within which a scraper may choose how long
// collecting takes. It cannot shorten the time to less than shortest, or to less
// than the handler's own timeout if that is less still. It cannot lengthen the
// time beyond longest, or beyond the handler's own timeout if that is more. Zero
// or less as longest means that scrapers can only shorten the time. The defaults
// are [DefaultShortestTimeout] and [DefaultLongestTimeout].
func WithTimeoutRange(shortest, longest time.Duration) Option {
	return handlerOption(func(s *settings) { s.shortestTimeout, s.longestTimeout = shortest, longest })
}

// WithWriteTimeout sets how long a client may take to receive one chunk of the
// page, about 32 KiB before compression; a slower client is cut off. Zero or
// less means no limit, and no least rate ([WithMinWriteRate]). The default is
// [DefaultWriteTimeout].
//
// The write deadline of the request, which [http.Server] sets by its own
// WriteTimeout, is replaced: a large page may take longer in all. If the
// [http.ResponseWriter] hides its connection, by having no Unwrap method, there
// are no deadlines: a client that reads too slowly is cut off only at its next
// read, and one that reads nothing must be cut off by the server.
func WithWriteTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.writeTimeout = d })
}

// WithMinWriteRate sets the least rate, in bytes of the compressed page per
// second, at which a client must receive the page as a whole. A client may make
// the handler wait for one write timeout; bytes that it receives earn that time
// back, one second for each bytesPerSecond bytes. So a page of n bytes takes at
// most the write timeout plus n divided by the rate, in addition to the time of
// collecting. Zero or less means no least rate. The default is
// [DefaultMinWriteRate].
func WithMinWriteRate(bytesPerSecond int) Option {
	return handlerOption(func(s *settings) { s.minWriteRate = bytesPerSecond })
}

// WithBodyTimeout sets how long the body of a request may keep its connection
// busy, once when the request begins and once more after the answer. Bodies are
// never read and their connections closed, but net/http receives bytes on their
// way so that the client can read the answer. Zero or less means no limit other
// than the server's. The default is [DefaultBodyTimeout]. It has no effect if
// the [http.ResponseWriter] hides its connection, by having no Unwrap method.
func WithBodyTimeout(d time.Duration) Option {
	return handlerOption(func(s *settings) { s.bodyTimeout = d })
}

// WithMaxInFlight sets the largest number of scrapes at once. Further ones wait
// ([WithWaiting]) until one ends, or has a client that is behind the least rate
// ([WithMinWriteRate]) by a second, which is then cut off to make room. They are
// answered with 503 and a Retry-After header if there is no place in time. Zero or
// less means no limit. The default is [DefaultMaxInFlight].
func WithMaxInFlight(n int) Option {
	return handlerOption(func(s *settings) { s.maxInFlight = n })
}

// WithMaxInFlightPerPeer sets the largest number of scrapes at once of one peer;
// further ones are answered with 429 and a Retry-After header, unless one of the peer's
// ends or is cut off in time, as with [WithMaxInFlight]. A peer is an IPv4
// address or, because a client with one IPv6 address usually has its whole
// network, the first 64 bits of an IPv6 address; of link-local addresses all
// bits. Peers on Unix sockets, and others without an IP address, have no limit.
// Zero or less means no limit, which is the default.
//
// Behind a proxy that connects by TCP all clients are one peer: leave it unset
// there. Headers that name another client, such as X-Forwarded-For, are ignored,
// but a RemoteAddr that a middleware has set from them is used.
func WithMaxInFlightPerPeer(n int) Option {
	return handlerOption(func(s *settings) { s.maxPerPeer = n })
}

// WithWaiting sets how many scrapes at most wait at once for a place within
// [WithMaxInFlight] or [WithMaxInFlightPerPeer], and how long each waits. A scrape is
// refused at once while that many wait, and while all places belong to scrapes that have
// not begun to send their pages, because none of them waits for its client. Zero or less
// in either means that no scrape waits. The defaults are [DefaultMaxWaiting] and
// [DefaultLongestWait].
func WithWaiting(scrapes int, longest time.Duration) Option {
	return handlerOption(func(s *settings) { s.maxWaiting, s.longestWait = scrapes, longest })
}

// WithQueryLimits sets the limits of a request's query; a query that exceeds one
// is answered with 400.
func WithQueryLimits(limits QueryLimits) Option {
	return handlerOption(func(s *settings) { s.query = limits.effective() })
}

// WithMaxAccept sets the largest number of bytes of each of the headers Accept
// and Accept-Encoding, all lines of one together; a request with more is
// answered with 431. Zero or less means no limit. The default is
// [DefaultMaxAccept].
func WithMaxAccept(bytes int) Option {
	return handlerOption(func(s *settings) { s.maxAccept = bytes })
}

// WithCodings sets the compressions of pages, in order of preference: the first
// wins if the client prefers several equally. None means that pages are not
// compressed, for programs behind a proxy or a middleware that compresses. The
// default is [Zstd], then [Gzip]. See the package's documentation for the rules
// for middlewares.
func WithCodings(codings ...Coding) Option {
	codings = slices.Clone(codings)
	return handlerOption(func(s *settings) { s.codings = codings })
}

// WithCreated writes created times in OpenMetrics 1.0 as samples of their own
// ("x_created"). They are left out by default, because older readers store them
// as series.
func WithCreated() Option {
	return handlerOption(func(s *settings) { s.created = true })
}

// WithShortBounds writes the labels le and quantile of whole numbers in the text
// format without a fraction, le="1" instead of le="1.0", as client_golang does.
// Prometheus before version 3 stores the two as different series; later ones store
// both as 1.0.
func WithShortBounds() Option {
	return handlerOption(func(s *settings) { s.shortBounds = true })
}

// WithFailOnFault answers a scrape from whose page something was left out with 500
// and no page, as the handler of client_golang does by default. Without it the page
// has what is whole, and the rest is counted and told to the registry's hook or log.
//
// Custom collectors then end before the first byte is written, so that a scrape
// takes as long as the slowest of them even before it writes the families of others.
// What they emit is kept until then, up to the bytes of [telltale.WithRetention];
// where it does not fit, and for what only encoding shows, such as a family that
// repeats another or a series that has a label which a view adds, a page of which
// more than 32 KiB were written already is aborted instead. Content that the format
// cannot hold ([DropError]) does not fail a scrape, unless the registry is strict.
func WithFailOnFault() Option {
	return handlerOption(func(s *settings) { s.failsOnFault = true })
}

// WithErrorHook sets a function that is called for every scrape that failed,
// including clients that were cut off or disconnected ([os.ErrDeadlineExceeded]
// and [context.Canceled] identify those), and with a [*DropError], once for each
// family, sample, reason and format, for content that a format could not hold;
// after 1,000 different ones it is not called for others. It is called in the
// request's goroutine, concurrently for concurrent requests, and should be
// quick. A panic of the hook is recovered and dropped. What a registry leaves
// out is reported to the registry's own hook or, if it has none, logged; without this
// option so is what a format could not hold. The registry counts either
// ([telltale.ReasonFormat]).
func WithErrorHook(hook func(error)) Option {
	return handlerOption(func(s *settings) { s.hook = hook })
}

// WithListening calls f with the address on which the server listens, before the
// first request is served; it has the port that the system chose for an address
// such as "127.0.0.1:0". If f panics, the error hook is called with the panic,
// and the server goes on.
func WithListening(f func(net.Addr)) ServerOption {
	return serverOption(func(s *serverSettings) { s.listening = f })
}

// WithMaxConnections sets the largest number of connections of a server. If one
// more is opened, the connection that has had no request for the longest time,
// and for at least a second, is closed; if there is none, the new connection
// waits, and is closed after a second. Zero or less means no limit. The default
// is [DefaultMaxConnections]. It uses the server's ConnState: a program that
// sets that field of a [NewServer] has no limit.
func WithMaxConnections(n int) ServerOption {
	return serverOption(func(s *serverSettings) { s.maxConnections = n })
}

// WithGrace sets how long [Serve] waits at the end for scrapes in progress;
// those that take longer are cut off. The default is [DefaultGrace].
func WithGrace(d time.Duration) ServerOption {
	return serverOption(func(s *serverSettings) { s.grace = d })
}

// WithMount serves h beside the metrics, at a pattern of [http.ServeMux], such as
// "/live/" for the page of package live. It may be given several times. The page at /
// links to patterns that are a path which ends in a slash; a mount at "/{$}" or "GET
// /{$}" takes its place. The pattern must not be that of another mount, nor one that
// the server has (/metrics, /-/healthy, /favicon.ico), else [NewServer] panics as
// ServeMux does.
//
// The deadlines of the server, for requests as short as scrapes, hold for h: it has
// the time of [WithWriteTimeout] for an answer, unless it sets another by
// [http.ResponseController], and a request with a body has that of
// [WithBodyTimeout] and ends its connection.
func WithMount(pattern string, h http.Handler) ServerOption {
	return serverOption(func(s *serverSettings) { s.mounts = append(s.mounts, mount{pattern, h}) })
}
