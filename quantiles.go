package telltale

// What a definition says of quantiles.

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// windowOptions is what a summary's definition says of its quantiles.
type windowOptions struct {
	windowSettings
	exponential.Options
	clock *exponential.Clock
}

// windowSettings is what the options say of quantiles.
type windowSettings struct {
	quantiles []float64 // nil for none
	maxAge    time.Duration
	ages      int
	within    float64 // relative
}

var defaultWindow = windowSettings{maxAge: 10 * time.Minute, ages: 5, within: 0.01}

// MaxQuantiles is the largest number of quantiles of a summary.
const MaxQuantiles = 100

// octaves is over how many doublings of the observations the error holds.
const octaves = 32

// check returns the options, nil without quantiles, or an error that names the option
// that is not valid.
func (w windowSettings) check() (*windowOptions, error) {
	if w.quantiles == nil {
		if w.maxAge != defaultWindow.maxAge || w.ages != defaultWindow.ages || w.within != defaultWindow.within {
			return nil, errors.New("telltale: WithMaxAge, WithAgeBuckets or WithQuantileError without WithQuantiles")
		}
		return nil, nil
	}
	if n := len(w.quantiles); n > MaxQuantiles {
		return nil, fmt.Errorf("telltale: a summary has at most %d quantiles, not %d", MaxQuantiles, n)
	}
	for i, q := range w.quantiles {
		if !(q >= 0 && q <= 1) || i > 0 && q == w.quantiles[i-1] {
			return nil, fmt.Errorf("telltale: quantiles %v: they must be different numbers from 0 to 1", w.quantiles)
		}
	}
	schema := exponential.SchemaWithin(w.within)
	if least := exponential.RelativeError(exponential.MaxSchema); !(w.within >= least && w.within < 1) {
		return nil, fmt.Errorf("telltale: quantiles with a relative error of %v: it must be from %.2g to below 1", w.within, least)
	}
	clock, err := exponential.NewClock(w.maxAge, w.ages)
	if err != nil {
		return nil, fmt.Errorf("telltale: quantiles: %w", err)
	}
	return &windowOptions{w, exponential.Options{
		Schema: schema, ZeroThreshold: exponential.DefaultZeroThreshold, MaxBuckets: octaves << max(schema, 0),
	}, clock}, nil
}

// equal reports whether both are the same, or both nil.
func (w *windowOptions) equal(other *windowOptions) bool {
	return w == other || w != nil && other != nil && slices.Equal(w.quantiles, other.quantiles) &&
		w.maxAge == other.maxAge && w.ages == other.ages && w.within == other.within
}

// String describes the options for error messages.
func (w *windowOptions) String() string {
	return fmt.Sprintf("quantiles %v of %v in %d parts within %v", w.quantiles, w.maxAge, w.ages, w.within)
}

// window returns a window for a series, nil if the definition has no quantiles.
func (w *windowOptions) window() *exponential.Window {
	if w == nil {
		return nil
	}
	return exponential.NewWindow(w.clock, &w.Options)
}

// appendTo appends the quantiles of a window.
func (w *windowOptions) appendTo(list []model.Quantile, of *exponential.Window, snapshot, work *exponential.Snapshot) []model.Quantile {
	if of == nil {
		return list
	}
	of.Read(snapshot, work)
	for _, q := range w.quantiles {
		list = append(list, model.Quantile{Q: q, V: snapshot.Quantile(q)})
	}
	return list
}
