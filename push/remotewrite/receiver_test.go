package remotewrite_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
)

// patience bounds waits for what is certain to come. It ends what hangs and decides nothing
// else.
const patience = 4 * time.Minute

// farewell is how long a server may take to be told that a client is gone. It is shorter
// than a sender waits for an answer.
const farewell = 8 * time.Second

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// backend is a receiver that keeps what it is sent, and answers as a test has it.
type backend struct {
	*httptest.Server
	speaks1, speaks2 bool
	silent           bool // takes 2.0 for something else, says 204, and keeps nothing
	answer           func(n int) action

	mu       sync.Mutex
	n        int
	series   map[string][]point
	metadata map[string]string
	refused  map[string][]point
	twice    int // refused, but kept before
	faults   []string
	versions []string
	headers  []http.Header
}

// action is what a backend does with a request.
type action struct {
	status int  // 0: 2xx
	keep   bool // beside an error
	reset  bool
	half   bool // keep every other series
	header http.Header
	wait   func()
}

// point is a sample as it was received.
type point struct {
	at, start int64
	bits      uint64
	text      string // of a histogram
	exemplars []string
}

func newBackend(t testing.TB) *backend {
	b := &backend{speaks1: true, speaks2: true, series: map[string][]point{}, refused: map[string][]point{}, metadata: map[string]string{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Context().Err() != nil {
		return // the sender waits for it no more, and may have sent newer ones
	}
	b.headers = append(b.headers, r.Header.Clone())
	version := r.Header.Get("X-Prometheus-Remote-Write-Version")
	b.versions = append(b.versions, version)
	two := r.Header.Get("Content-Type") == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
	if r.Header.Get("Content-Encoding") != "snappy" || two != (version == "2.0.0") || r.Method != http.MethodPost || r.Header.Get("User-Agent") == "" {
		b.faults = append(b.faults, fmt.Sprintf("%s with %v", r.Method, r.Header))
	}
	switch {
	case two && b.silent:
		w.WriteHeader(http.StatusNoContent)
		return
	case two && !b.speaks2 || !two && !b.speaks1:
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var a action
	if b.answer != nil {
		a = b.answer(b.n)
	}
	b.n++
	if a.wait != nil {
		b.mu.Unlock()
		a.wait()
		b.mu.Lock()
	}
	body, err := snappy.Decode(nil, packed)
	if err != nil {
		b.faults = append(b.faults, err.Error())
	}
	failed := a.status/100 > 2 || a.reset
	samples, histograms, exemplars := 0, 0, 0
	all := decode(body, two, b.metadata)
	if slices.ContainsFunc(all, b.overtaken) && b.givenUp(r) {
		return
	}
	for i, s := range all {
		if failed && !a.keep && !a.half || a.half && i%2 == 1 {
			if a.status/100 == 4 && a.status != http.StatusTooManyRequests {
				if all := b.series[s.name]; len(all) > 0 && all[len(all)-1].at == s.at {
					b.twice++ // it was kept by an attempt that failed
				} else {
					b.refused[s.name] = append(b.refused[s.name], s.point)
				}
			}
			continue
		}
		b.keep(s)
		exemplars += len(s.exemplars)
		if s.text != "" {
			histograms++
		} else {
			samples++
		}
	}
	if a.reset {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if two {
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", fmt.Sprint(samples))
		w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", fmt.Sprint(histograms))
		w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", fmt.Sprint(exemplars))
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
}

// overtaken reports whether a newer sample of the series was kept.
func (b *backend) overtaken(s received) bool {
	kept := b.series[s.name]
	if len(kept) == 0 {
		return false
	}
	last := kept[len(kept)-1]
	return s.at < last.at || s.at == last.at && (s.bits != last.bits || s.text != last.text)
}

// givenUp reports whether the sender waits for a request no more: then it may have sent
// newer ones, which a busy machine may handle first. The server is told of that some time
// after it happened.
func (b *backend) givenUp(r *http.Request) bool {
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-r.Context().Done():
		return true
	case <-time.After(farewell):
		return false
	}
}

// keep keeps a sample as Prometheus does: one that repeats the last changes nothing,
// and older ones are faults.
func (b *backend) keep(s received) {
	all := b.series[s.name]
	if n := len(all); n > 0 {
		last := all[n-1]
		if last.at == s.at && last.bits == s.bits && last.text == s.text {
			return
		}
		if b.overtaken(s) {
			b.faults = append(b.faults, fmt.Sprintf("%s has %v after %v", s.name, s.point, last))
		}
	}
	b.series[s.name] = append(all, s.point)
}

// of returns the samples of a series.
func (b *backend) of(name string) []point {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.series[name])
}

// check fails the test if the backend met something wrong.
func (b *backend) check(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, fault := range b.faults {
		if i == 5 {
			t.Errorf("and %d more", len(b.faults)-i)
			break
		}
		t.Error(fault)
	}
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// valueOf spells the value of a sample.
func valueOf(p point) string {
	if p.bits == stale {
		return "stale"
	}
	return model.FormatValue(math.Float64frombits(p.bits))
}

// received is one TimeSeries with one sample.
type received struct {
	name string
	point
}

// walk calls visit with the fields of a message.
func walk(message []byte, visit func(n protowire.Number, number uint64, value []byte)) {
	for len(message) > 0 {
		n, typ, size := protowire.ConsumeTag(message)
		if size < 0 {
			panic(protowire.ParseError(size))
		}
		message = message[size:]
		var number uint64
		var value []byte
		switch typ {
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(message)
		case protowire.Fixed64Type:
			number, size = protowire.ConsumeFixed64(message)
		default:
			value, size = protowire.ConsumeBytes(message)
		}
		if size < 0 {
			panic(protowire.ParseError(size))
		}
		message = message[size:]
		visit(n, number, value)
	}
}

// decode reads a request of either version. It panics if the labels of a series are not
// sorted, repeated or empty, or symbols are.
func decode(body []byte, two bool, metadata map[string]string) (all []received) {
	var symbols []string
	series, exemplarField, histogramField := protowire.Number(1), protowire.Number(3), protowire.Number(4)
	if two {
		series, exemplarField, histogramField = 5, 4, 3
		walk(body, func(n protowire.Number, _ uint64, value []byte) {
			if n == 4 {
				symbols = append(symbols, string(value))
			}
		})
		if symbols[0] != "" || len(slices.Compact(slices.Sorted(slices.Values(symbols)))) != len(symbols) {
			panic(fmt.Sprintf("symbols %q", symbols))
		}
	}
	labels := func(message []byte) (text []string, name string) {
		if two {
			for len(message) > 0 {
				i, n := protowire.ConsumeVarint(message)
				j, m := protowire.ConsumeVarint(message[n:])
				message = message[n+m:]
				text = append(text, fmt.Sprintf("%s=%q", symbols[i], symbols[j]))
			}
		} else {
			walk(message, func(n protowire.Number, _ uint64, value []byte) {
				if n == 1 {
					var pair [3]string
					walk(value, func(n protowire.Number, _ uint64, value []byte) { pair[n] = string(value) })
					text = append(text, fmt.Sprintf("%s=%q", pair[1], pair[2]))
				}
			})
		}
		return text, name
	}
	walk(body, func(n protowire.Number, _ uint64, message []byte) {
		if !two && n == 3 {
			var m [6]string
			walk(message, func(n protowire.Number, number uint64, value []byte) {
				if m[n] = string(value); n == 1 {
					m[n] = fmt.Sprint(number)
				}
			})
			metadata[m[2]] = m[1] + "|" + m[4] + "|" + m[5]
		}
		if n != series {
			return
		}
		var s received
		var text []string
		if !two {
			text, _ = labels(message)
		}
		samples := 0
		walk(message, func(n protowire.Number, _ uint64, value []byte) {
			switch {
			case n == 1 && two:
				text, _ = labels(value)
			case n == 2:
				samples++
				walk(value, func(n protowire.Number, number uint64, _ []byte) {
					switch n {
					case 1:
						s.bits = number
					case 2:
						s.at = int64(number)
					case 3:
						s.start = int64(number)
					}
				})
			case n == histogramField:
				samples++
				s.text = "histogram"
				walk(value, func(n protowire.Number, number uint64, value []byte) {
					switch n {
					case 15:
						s.at = int64(number)
					case 17:
						s.start = int64(number)
					case 3:
						s.bits = number
					default:
						s.text += fmt.Sprintf(" %d:%d%x", n, number, value)
					}
				})
			case n == exemplarField:
				var refs []byte
				x := ""
				walk(value, func(n protowire.Number, number uint64, value []byte) {
					switch n {
					case 1:
						refs = value
					case 2:
						x += fmt.Sprint(math.Float64frombits(number))
					case 3:
						x += fmt.Sprint("@", number)
					}
				})
				of := value
				if two {
					of = refs
				}
				text, _ := labels(of)
				s.exemplars = append(s.exemplars, "{"+strings.Join(text, ",")+"}"+x)
			case n == 5 && two:
				m := [5]uint64{}
				walk(value, func(n protowire.Number, number uint64, _ []byte) { m[n] = number })
				metadata[strings.Join(text, ",")] = fmt.Sprintf("%d|%s|%s", m[1], symbols[m[3]], symbols[m[4]])
			}
		})
		names := []string{}
		for _, pair := range text {
			name, value, _ := strings.Cut(pair, "=")
			if value == `""` {
				panic("an empty label in " + strings.Join(text, ","))
			}
			names = append(names, name)
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || samples != 1 {
			panic(fmt.Sprintf("the labels %v, %d samples", names, samples))
		}
		s.name = strings.Join(text, ",")
		all = append(all, s)
	})
	return all
}
