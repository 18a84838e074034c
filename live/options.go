package live

import "time"

// Option is an option of [Handler].
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

type settings struct {
	interval     time.Duration
	timeout      time.Duration
	maxFamilies  int
	maxSeries    int
	maxBytes     int
	maxAsked     int
	maxQuery     int
	maxInFlight  int
	writeTimeout time.Duration
	maxValues    int
	directory    string
	hook         func(error)
	hosts        []string // as hostOf returns them
}

// The defaults of the options.
const (
	DefaultInterval     = time.Second
	DefaultTimeout      = 10 * time.Second
	DefaultMaxFamilies  = 20_000
	DefaultMaxSeries    = 2_000
	DefaultMaxBytes     = 8 << 20
	DefaultMaxAsked     = 64
	DefaultMaxQuery     = 16 << 10 // bytes
	DefaultMaxInFlight  = 64
	DefaultWriteTimeout = 30 * time.Second
	DefaultMaxValues    = 10_000
)

// shortestInterval is the least interval that [WithInterval] sets.
const shortestInterval = 100 * time.Millisecond

func settingsOf(opts []Option) settings {
	s := settings{
		interval:     DefaultInterval,
		timeout:      DefaultTimeout,
		maxFamilies:  DefaultMaxFamilies,
		maxSeries:    DefaultMaxSeries,
		maxBytes:     DefaultMaxBytes,
		maxAsked:     DefaultMaxAsked,
		maxQuery:     DefaultMaxQuery,
		maxInFlight:  DefaultMaxInFlight,
		writeTimeout: DefaultWriteTimeout,
		maxValues:    DefaultMaxValues,
	}
	for _, o := range opts {
		o.apply(&s)
	}
	return s
}

// WithInterval sets the time between the beginnings of two collections, at least
// a tenth of a second. The page reads as often. The default is [DefaultInterval].
func WithInterval(d time.Duration) Option {
	return option(func(s *settings) { s.interval = max(d, shortestInterval) })
}

// WithTimeout sets how long a collection may take. Custom collectors of a
// registry that take longer are missing, as in a scrape. Zero or less sets the
// default, [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return option(func(s *settings) { s.timeout = orDefault(d, DefaultTimeout) })
}

// WithMaxFamilies sets how many families the page lists; further ones are
// counted. Zero or less sets the default, [DefaultMaxFamilies].
func WithMaxFamilies(n int) Option {
	return option(func(s *settings) { s.maxFamilies = orDefault(n, DefaultMaxFamilies) })
}

// WithMaxSeries sets how many series of a family the page gets the points of,
// the first ones; further ones are counted. Zero or less sets the default,
// [DefaultMaxSeries].
func WithMaxSeries(n int) Option {
	return option(func(s *settings) { s.maxSeries = orDefault(n, DefaultMaxSeries) })
}

// WithMaxBytes sets the largest number of bytes, of the points and of the index
// each, that a collection keeps and an answer has. Families and points for which
// there is no room are counted. Zero or less sets the default, [DefaultMaxBytes].
func WithMaxBytes(n int) Option {
	return option(func(s *settings) { s.maxBytes = orDefault(n, DefaultMaxBytes) })
}

// WithMaxAsked sets the points of how many families one request may ask for;
// more are answered with 400. All readers together may ask for eight times as
// many; points of others are missing until some are not asked for any more. Zero
// or less sets the default, [DefaultMaxAsked].
func WithMaxAsked(n int) Option {
	return option(func(s *settings) { s.maxAsked = orDefault(n, DefaultMaxAsked) })
}

// WithMaxQuery sets the largest number of bytes of a request's query; longer ones
// are answered with 414. Zero or less sets the default, [DefaultMaxQuery].
func WithMaxQuery(bytes int) Option {
	return option(func(s *settings) { s.maxQuery = orDefault(bytes, DefaultMaxQuery) })
}

// WithMaxInFlight sets how many requests for data are served at once; further
// ones are answered with 503 and a Retry-After header. Zero or less sets the
// default, [DefaultMaxInFlight].
func WithMaxInFlight(n int) Option {
	return option(func(s *settings) { s.maxInFlight = orDefault(n, DefaultMaxInFlight) })
}

// WithWriteTimeout sets how long a client may take to receive an answer, from
// when it begins to be written; a slower client is cut off. If the
// [net/http.ResponseWriter] hides its connection, by having no Unwrap method, it
// has no effect. Zero or less sets the default, [DefaultWriteTimeout].
func WithWriteTimeout(d time.Duration) Option {
	return option(func(s *settings) { s.writeTimeout = orDefault(d, DefaultWriteTimeout) })
}

// WithMaxValues sets how many values of a label are told apart where the page shows
// the values of labels; series with further ones are counted together. Zero or less
// sets the default, [DefaultMaxValues].
func WithMaxValues(n int) Option {
	return option(func(s *settings) { s.maxValues = orDefault(n, DefaultMaxValues) })
}

// WithWriters has the page show the processes that write to a directory of package
// multiprocess, such as that of a store ([multiprocess.Store.Directory]): which
// live, and what each has there. It is read when somebody looks at them, every five
// seconds at most, and not changed.
func WithWriters(dir string) Option {
	return option(func(s *settings) { s.directory = dir })
}

// WithHosts adds names by which the page is asked for, without a port, such as the
// public name of a proxy on this machine that passes the client's Host header on.
// They matter where a request comes in on a loopback address: there the page is
// otherwise shown only to requests for an IP address, localhost, a name below
// .localhost, or the machine's own name, and others are answered with 421.
func WithHosts(names ...string) Option {
	return option(func(s *settings) {
		for _, name := range names {
			s.hosts = append(s.hosts, hostOf(name))
		}
	})
}

// WithErrorHook sets a function that is called with the error of each collection
// that failed. Its panics are recovered and dropped. It is called by the
// collection's goroutine, and should be quick. What a registry leaves out is told
// to the registry's own hook.
func WithErrorHook(hook func(error)) Option {
	return option(func(s *settings) { s.hook = hook })
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
