package scan

// Limits bound what a parser reads. Fields that are not above zero mean the
// default.
type Limits struct {
	Input   int64 // bytes of the whole page; 1 GiB by default
	Line    int   // bytes of a line; 1 MiB by default
	Labels  int   // labels of a sample, or of an exemplar; 256 by default
	Message int   // bytes of a message, in protobuf; 256 MiB by default
	Errors  int   // errors after which a parser with WithAllErrors gives up; 100 by default
}

// defaultLimits are far above the pages of real exporters and small enough for
// any machine.
var defaultLimits = Limits{Input: 1 << 30, Line: 1 << 20, Labels: 256, Message: 256 << 20, Errors: 100}

// WithDefaults returns the limits with the defaults of fields that are not set.
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

// Options are the settings behind the options of parsers.
type Options struct {
	Limits    Limits
	AllErrors bool // go on after an error
	Lenient   bool // accept common mistakes of exporters
}

// Option is an option of the parsers and scanners of the text formats.
type Option interface{ apply(*Options) }

type option func(*Options)

func (o option) apply(to *Options) { o(to) }

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return option(func(o *Options) { o.Limits = l }) }

// WithAllErrors makes a parser go on after an error.
func WithAllErrors() Option { return option(func(o *Options) { o.AllErrors = true }) }

// WithLenient makes a parser accept common mistakes of exporters.
func WithLenient() Option { return option(func(o *Options) { o.Lenient = true }) }

// OptionsOf returns the settings of the options.
func OptionsOf(opts []Option) Options {
	var o Options
	for _, opt := range opts {
		opt.apply(&o)
	}
	return o
}
