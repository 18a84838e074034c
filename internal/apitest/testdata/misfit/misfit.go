// Package misfit gives constructors options that do not fit them. Each line that
// is not to compile ends in "misfit"; all others must compile. The test
// TestOptionsThatDoNotFit compiles it.
package misfit

import "telltale"

type labels struct{ A string }

var (
	on = []string{"on", "off"}
	in = telltale.In(telltale.NewRegistry())

	_, _ = telltale.NewCounter("c", "", in, telltale.WithUnit("bytes"))
	_, _ = telltale.NewCounter("c", "", telltale.WithBuckets(1))                            // misfit
	_, _ = telltale.NewCounter("c", "", telltale.WithGaugeMode(telltale.ModeMax))           // misfit
	_, _ = telltale.NewCounterVec("c", "", []string{"a"}, telltale.WithBuckets(1))          // misfit
	_, _ = telltale.NewCounterOf[labels]("c", "", telltale.WithGaugeMode(telltale.ModeMax)) // misfit
	_, _ = telltale.NewCounterFunc("c", "", nil, nil, telltale.WithBuckets(1))              // misfit
	_, _ = telltale.NewCounter("c", "", telltale.WithStrict())                              // misfit

	_, _ = telltale.NewGauge("g", "", telltale.Unregistered(), telltale.WithUnit("bytes"), telltale.WithGaugeMode(telltale.ModeMax))
	_, _ = telltale.NewGauge("g", "", telltale.WithQuantiles(0.5))                   // misfit
	_, _ = telltale.NewGauge("g", "", telltale.WithBuckets(1))                       // misfit
	_, _ = telltale.NewGaugeVec("g", "", []string{"a"}, telltale.WithQuantiles(0.5)) // misfit
	_, _ = telltale.NewGaugeOf[labels]("g", "", telltale.WithBuckets(1))             // misfit
	_, _ = telltale.NewGaugeFunc("g", "", nil, nil, telltale.WithQuantiles(0.5))     // misfit

	_, _ = telltale.NewHistogram("h", "", in, telltale.WithUnit("seconds"), telltale.WithBuckets(1, 2))
	_, _ = telltale.NewHistogram("h", "", telltale.WithQuantiles(0.5))                                // misfit
	_, _ = telltale.NewHistogram("h", "", telltale.WithGaugeMode(telltale.ModeMax))                   // misfit
	_, _ = telltale.NewHistogramVec("h", "", []string{"a"}, telltale.WithGaugeMode(telltale.ModeMax)) // misfit
	_, _ = telltale.NewHistogramOf[labels]("h", "", telltale.WithQuantiles(0.5))                      // misfit

	_, _ = telltale.NewSummary("s", "", in, telltale.WithUnit("seconds"))
	_, _ = telltale.NewSummary("s", "", telltale.WithBuckets(1))                                    // misfit
	_, _ = telltale.NewSummaryVec("s", "", []string{"a"}, telltale.WithGaugeMode(telltale.ModeMax)) // misfit
	_, _ = telltale.NewSummaryOf[labels]("s", "", telltale.WithBuckets(1))                          // misfit

	_, _ = telltale.NewInfo("i", "", in, telltale.WithNamespace("x"), telltale.WithConstLabels(nil))
	_, _ = telltale.NewInfo("i", "", telltale.WithUnit("bytes"))                   // misfit
	_, _ = telltale.NewInfo("i", "", telltale.WithBuckets(1))                      // misfit
	_, _ = telltale.NewInfoVec("i", "", []string{"a"}, telltale.WithUnit("bytes")) // misfit
	_, _ = telltale.NewInfoOf[labels]("i", "", telltale.WithQuantiles(0.5))        // misfit

	_, _ = telltale.NewEnum("e", "", on, in, telltale.WithSubsystem("x"), telltale.WithLabelValueLimit(9))
	_, _ = telltale.NewEnum("e", "", on, telltale.WithUnit("bytes"))                // misfit
	_, _ = telltale.NewEnum("e", "", on, telltale.WithGaugeMode(telltale.ModeMax))  // misfit
	_, _ = telltale.NewEnumVec("e", "", on, []string{"a"}, telltale.WithBuckets(1)) // misfit
	_, _ = telltale.NewEnumOf[labels]("e", "", on, telltale.WithUnit("bytes"))      // misfit

	_, _ = telltale.NewCounterOf[[]string]("c", "")                                         // misfit
	_, _ = telltale.NewCounterOf[struct{ A []string }]("c", "")                             // misfit
	_    = telltale.Must(telltale.NewCounterOf[labels]("c", "")).With(struct{ B string }{}) // misfit
	_    = telltale.Must(telltale.NewCounterOf[labels]("c", "")).With(labels{A: 1})         // misfit
	_    = telltale.Must(telltale.NewCounterOf[labels]("c", "")).With(labels{"x"})
)
