package otlp_test

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/model"
	"telltale/push"
	"telltale/push/otlp"
)

// answering returns a client whose server answers 400 with a text and headers.
func answering(text func(*http.Request) string, header http.Header) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body := http.MaxBytesReader(nil, closer{strings.NewReader(text(r))}, 1<<20)
		return &http.Response{StatusCode: http.StatusBadRequest, Header: header, Body: body, Request: r}, nil
	})}
}

// What a server sends back of a request has no secret: not if one is a part of another,
// if the answer is cut off in one, or if the query is none of pairs.
func TestSecretsInAnswers(t *testing.T) {
	const token = "abc-token-of-many-letters"
	for name, test := range map[string]struct{ query, before, answer, want string }{
		"part of another":  {"", "", token + " abc", "<secret> <secret>"},
		"cut off":          {"", strings.Repeat("-", 1010), token, ""},
		"last letter":      {"", strings.Repeat("-", 1025-len(token)), token, ""},
		"semicolons":       {"?key=k3y;x", "", "key=k3y;x", "key=<secret>"},
		"name alone":       {"?s3cret", "", "s3cret", "<secret>"},
		"not to be parsed": {"?key=k3y%zz", "", "k3y%zz", "<secret>"},
		"escaped":          {"?key=k%33y+z", "", "k3y z k%33y+z k3y+z", "<secret> <secret> <secret>"},
	} {
		client := answering(func(*http.Request) string { return test.before + test.answer }, http.Header{})
		target := must(otlp.NewTarget("localhost"+test.query, otlp.WithHeader("x", "abc"), otlp.WithBearerToken(token), otlp.WithClient(client)))
		err := target.Push(t.Context(), &counting{series: 1})
		var refused *push.StatusError
		if !errors.As(err, &refused) || strings.TrimLeft(refused.Body, "-") != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A status is told as such, also if its text has what is the value of a header.
func TestStatusLikeASecret(t *testing.T) {
	client := answering(func(*http.Request) string { return "tenant 4" }, http.Header{})
	target := must(otlp.NewTarget("localhost", otlp.WithHeader("X-Scope-OrgID", "4"), otlp.WithClient(client)))
	err := target.Push(t.Context(), &counting{series: 1})
	var refused *push.StatusError
	if !errors.As(err, &refused) || refused.Code != http.StatusBadRequest || refused.Temporary() || refused.Body != "tenant <secret>" {
		t.Error(err)
	}
}

// The address of a proxy that is not valid is told without its password.
func TestProxySecrets(t *testing.T) {
	for _, address := range []string{"http://user:s3cret@pro xy", "http://localhost:s3cret"} {
		_, invalid := url.Parse(address)
		for _, err := range []error{invalid, fmt.Errorf("invalid proxy address %q: %s", address, invalid.Error()), fmt.Errorf("no proxy: %w", invalid)} {
			client := &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, err }}}
			target := must(otlp.NewTarget("http://example.invalid", otlp.WithClient(client)))
			if err := target.Push(t.Context(), &counting{series: 1}); err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Error(err)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const longest = (1 << 20) * time.Second
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0,
		"2000000": longest, "18446744073709551616": longest, strings.Repeat("9", 500): longest,
		"Fri, 01 Jan 9999 00:00:00 GMT": longest, "Mon, 01 Jan 0001 00:00:00 GMT": 0, "Thu, 01 Jan 1970 00:00:00 GMT": 0,
	} {
		client := answering(func(*http.Request) string { return "" }, http.Header{"Retry-After": {text}})
		err := must(otlp.NewTarget("localhost", otlp.WithClient(client))).Push(t.Context(), &counting{series: 1})
		var refused *push.StatusError
		if !errors.As(err, &refused) || refused.RetryAfter != want {
			t.Errorf("%q: %v, want %v", text, refused.RetryAfter, want)
		}
	}
}

// The longest wait that there is ends with the sender, and does not overflow.
func TestEndlessRetry(t *testing.T) {
	t.Parallel()
	b, c := newBackend(t), &counting{series: 1}
	b.answer = func(n int) action {
		if n < 2 {
			return action{status: 503}
		}
		return action{}
	}
	s := start(t, c, b.URL, otlp.WithRetry(math.MaxInt64, math.MaxInt64), otlp.WithInterval(time.Hour))
	await(t, "the first request", func() bool { return health(t, s.Sender, "requests_total", "postponed") > 0 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	if got := len(b.of(ofCounting(0))); got != 2 {
		t.Errorf("%d points have arrived", got)
	}
}

// No connection is left open when Run has returned.
func TestConnectionsAreClosed(t *testing.T) {
	var opened, open atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			opened.Add(1)
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	s := start(t, &counting{series: 1}, server.URL)
	await(t, "requests", func() bool { return health(t, s.Sender, "requests_total", "delivered") > 3 })
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	await(t, "the connection to be closed", func() bool { return open.Load() == 0 })
	if opened.Load() != 1 {
		t.Errorf("%d connections were opened", opened.Load())
	}
}

// A native histogram that receivers would refuse, and with it all of its request, is left
// out and told.
func TestUnsoundNativeHistograms(t *testing.T) {
	one := []model.Span{{Length: 1}}
	for name, test := range map[string]struct {
		n    model.NativeHistogram
		fits bool
	}{
		"sound":                {model.NativeHistogram{Count: 5, ZeroCount: 1, PositiveSpans: one, Positive: []float64{2}, NegativeSpans: one, Negative: []float64{2}}, true},
		"empty":                {model.NativeHistogram{}, true},
		"empty, with bounds":   {model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{1, 2}}, true},
		"with NaN":             {model.NativeHistogram{Count: 6, Sum: math.NaN(), PositiveSpans: one, Positive: []float64{5}}, true},
		"few with NaN":         {model.NativeHistogram{Count: 4, Sum: math.NaN(), PositiveSpans: one, Positive: []float64{5}}, false},
		"few":                  {model.NativeHistogram{Count: 1, PositiveSpans: one, Positive: []float64{5}}, false},
		"many":                 {model.NativeHistogram{Count: 9, PositiveSpans: one, Positive: []float64{5}}, false},
		"negative count":       {model.NativeHistogram{Count: -5, PositiveSpans: one, Positive: []float64{-5}}, false},
		"counts without spans": {model.NativeHistogram{Count: 5, Positive: []float64{5}}, false},
		"spans without counts": {model.NativeHistogram{Count: 5, PositiveSpans: []model.Span{{Length: math.MaxUint32}}, Positive: []float64{5}}, false},
		"schema":               {model.NativeHistogram{Schema: 9}, false},
		"low schema":           {model.NativeHistogram{Schema: -5}, false},
		"threshold":            {model.NativeHistogram{ZeroThreshold: math.NaN()}, false},
		"bounds that fall":     {model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{2, 1}}, false},
		"infinite bound":       {model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{1, math.Inf(1)}}, false},
		"bounds and zero":      {model.NativeHistogram{Schema: model.CustomBucketsSchema, Count: 1, ZeroCount: 1}, false},
		"bounds and negative":  {model.NativeHistogram{Schema: model.CustomBucketsSchema, NegativeSpans: one, Negative: []float64{1}}, false},
		"more than bounds":     {model.NativeHistogram{Schema: model.CustomBucketsSchema, CustomBounds: []float64{1}, Positive: []float64{1}}, false},
	} {
		d := &decoding{}
		target := must(otlp.NewTarget("localhost", otlp.WithClient(&http.Client{Transport: d})))
		f := with(newFamily("h", model.Histogram), model.Point{Has: model.Histogram.Parts(), Histogram: &model.HistogramValue{Native: &test.n, Bounds: must(model.NewBounds(nil))}})
		err := target.Push(t.Context(), these(f, with(newFamily("g", model.Gauge), model.Point{Has: model.PartValue})))
		want := 1
		if test.fits {
			want = 2
		}
		if (err == nil) != test.fits || len(d.all) != 1 || d.err != nil || health(t, target, "points_total", "delivered") != float64(want) {
			t.Errorf("%s: %v, %d requests", name, err, len(d.all))
		}
	}
}
