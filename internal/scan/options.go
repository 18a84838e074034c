package scan

// Limits bound what a page may ask for. What is not above zero is the default.
type Limits struct {
	Input   int64 // bytes of the whole page; 1 GiB by default
	Line    int   // bytes of a line; 1 MiB by default
	Labels  int   // labels of a sample, or of an exemplar; 256 by default
	Message int   // bytes of a message, in protobuf; 256 MiB by default
	Errors  int   // errors after which a parser gives up that goes on behind them; 100 by default
}

// defaultLimits are far above what exporters write and far below what hurts.
var defaultLimits = Limits{Input: 1 << 30, Line: 1 << 20, Labels: 256, Message: 256 << 20, Errors: 100}

// WithDefaults returns the limits with what is not set.
func (l Limits) WithDefaults() Limits {
	if l.Input <= 0 {
		l.Input = defaultLimits.Input
	}
	if l.Line <= 0 {
		l.Line = defaultLimits.Line
	}
	if l.Labels <= 0 {
		l.Labels = defaultLimits.Labels
	}
	if l.Message <= 0 {
		l.Message = defaultLimits.Message
	}
	if l.Errors <= 0 {
		l.Errors = defaultLimits.Errors
	}
	return l
}

// Options are what the options of parsers set.
type Options struct {
	Limits    Limits
	AllErrors bool // go on behind an error
	Lenient   bool // take what sloppy exporters write
}

// Option is an option of the parsers and scanners of the text formats.
type Option interface{ apply(*Options) }

type option func(*Options)

func (o option) apply(to *Options) { o(to) }

// WithLimits sets other limits than the default ones.
func WithLimits(l Limits) Option { return option(func(o *Options) { o.Limits = l }) }

// WithAllErrors has a parser go on behind an error.
func WithAllErrors() Option { return option(func(o *Options) { o.AllErrors = true }) }

// WithLenient has a parser take what sloppy exporters write.
func WithLenient() Option { return option(func(o *Options) { o.Lenient = true }) }

// OptionsOf returns what the options set.
func OptionsOf(opts []Option) Options {
	var o Options
	for _, opt := range opts {
		opt.apply(&o)
	}
	return o
}
