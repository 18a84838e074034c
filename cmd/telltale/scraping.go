package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"telltale/exposition"
	"telltale/model"
)

// Why a target was left out, as its label reason says.
const (
	becauseTimeout     = "timeout"     // it took too long
	becauseUnreachable = "unreachable" // it could not be connected to, or did not answer
	becauseStatus      = "status"      // it did not answer 200
	becauseCutOff      = "cut_off"     // the page ended before its end
	becauseSize        = "size"        // the page has too many bytes
	becauseContent     = "content"     // the page is in no format of metrics
	becauseSyntax      = "syntax"      // the page breaks its format
	becauseSeries      = "series"      // there are too many series
	becausePanic       = "panic"       // reading it failed by a fault of this program
)

// targetError is the error of a target that is left out.
type targetError struct {
	target string
	reason string
	err    error
}

// Error is the same text each time that a target fails for one reason: what the error
// says in detail, such as ports, changes.
func (e *targetError) Error() string { return fmt.Sprintf("target %s: %s", e.target, e.reason) }

func (e *targetError) Unwrap() error { return e.err }

// scraping scrapes targets.
type scraping struct {
	client    *scrapeClient
	timeout   time.Duration // of one target; 0 for none
	maxSize   size          // bytes of a page
	maxSeries int           // of a page, 0 for any
	accept    string
}

// Limits of pages, as check has them by default, and of errors.
const (
	targetLine   = 1 << 20 // bytes of a line
	targetLabels = 256     // labels of a sample
	maxErrorText = 500     // bytes of an error that is logged
)

// scraped is what a target has answered.
type scraped struct {
	target   *target
	families []*model.Family
	series   int
	err      *targetError
	took     time.Duration
}

// scrape gets the page of a target.
func (s *scraping) scrape(ctx context.Context, t *target) (got scraped) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			got = scraped{target: t, err: &targetError{t.name(), becausePanic, fmt.Errorf("%v\n%s", p, debug.Stack())}}
		}
		got.took = time.Since(began)
	}()
	got.target = t
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	reason, err := "", ctx.Err()
	if err == nil {
		reason, err = s.read(ctx, t, &got)
	}
	if err != nil {
		if ctx.Err() != nil {
			reason = becauseTimeout
		}
		got.families, got.err = nil, &targetError{t.name(), reason, shortened(err)}
	}
	return got
}

// shortened bounds the text of an error, in which what a server has sent may be.
func shortened(err error) error {
	text := err.Error()
	if len(text) <= maxErrorText {
		return err
	}
	return fmt.Errorf("%s (and %d bytes more)", text[:maxErrorText], len(text)-maxErrorText)
}

// read reads the page. It returns a reason and an error if it cannot be used.
func (s *scraping) read(ctx context.Context, t *target, got *scraped) (reason string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url.String(), nil)
	if err != nil {
		return becauseUnreachable, errors.New("its URL cannot be used")
	}
	request.Header.Set("Accept", s.accept)
	if deadline, ok := ctx.Deadline(); ok {
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprintf("%.3f", max(time.Until(deadline).Seconds(), 0.001)))
	}
	response, err := s.client.current.Load().do(request)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // the outer error repeats the URL
		}
		return becauseUnreachable, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return becauseStatus, fmt.Errorf("the server answered %s", response.Status)
	}
	d := &document{name: "the page", reading: &reading{
		MaxSize: s.maxSize, MaxLine: targetLine, MaxLabels: targetLabels, MaxMessage: s.maxSize,
		raising: map[string]string{"Message": "--max-target-size"},
	}}
	if d.content, err = io.ReadAll(io.LimitReader(response.Body, int64(s.maxSize)+1)); int64(len(d.content)) > int64(s.maxSize) {
		return becauseSize, fmt.Errorf("the page has more than %d bytes; --max-target-size raises the limit", s.maxSize)
	}
	if err != nil {
		return becauseCutOff, err
	}
	if f, known := exposition.FormatOf(response.Header.Get("Content-Type")); known {
		d.format = formatOf(f)
	} else {
		d.format = sniff(d.content)
	}
	if d.format.name == inJSON {
		return becauseContent, fmt.Errorf("the page is %.200q, which is no format of metrics", response.Header.Get("Content-Type"))
	}
	if err := d.foreign(); err != nil {
		return becauseContent, err
	}
	if got.families, err = d.families(false); err != nil && d.format.name != inProtobuf {
		var inexact error
		if got.families, inexact = d.families(true); inexact == nil {
			err = nil
		}
	}
	if err != nil {
		return becauseSyntax, err
	}
	if got.series = countSeries(got.families); s.maxSeries > 0 && got.series > s.maxSeries {
		return becauseSeries, fmt.Errorf("the page has %d series; --max-target-series raises the limit of %d", got.series, s.maxSeries)
	}
	return "", nil
}

// countSeries returns the number of points and of samples that fit none.
func countSeries(families []*model.Family) (n int) {
	var scratch model.Point
	for _, f := range families {
		_ = f.VisitScalars(&scratch, func(run []model.Scalar) error { n += len(run); return nil }, func(*model.Point) error { n++; return nil }) // neither fails
		n += len(f.Loose())
	}
	return n
}
