package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"telltale/internal/freeport"
)

// staleMarker is the value that ends a series.
const staleMarker = 0x7ff0000000000002

// receiver takes requests of remote write 2.0, and may leave and come back.
type receiver struct {
	address string
	present *presence

	mu       sync.Mutex
	series   map[string]map[string]*series // by instance, by labels
	requests int
	samples  int
	delays   []time.Duration // of the requests of a phase
	again    int             // samples that came twice, the same
	old      int             // samples that are older than one before, or contradict it
	wrong    []error
}

// series is what the receiver has of a series.
type series struct {
	last, start int64   // of the newest sample
	bits        uint64  // its value, which may be a stale marker
	value       float64 // the newest that is no stale marker
	before      float64 // the last values of its earlier starts, added up
}

func listen() (*receiver, error) {
	listener, err := freeport.Listen() // at an address that stays free while the receiver is away
	if err != nil {
		return nil, err
	}
	r := &receiver{address: listener.Addr().String(), series: make(map[string]map[string]*series)}
	r.serve(listener)
	return r, nil
}

func (r *receiver) url() string { return "http://" + r.address + "/api/v1/write" }

// presence is the receiver until it leaves.
type presence struct {
	*receiver
	server http.Server
	taking sync.RWMutex // held while a request is taken
	left   bool
}

// comeBack listens, at the same address as before.
func (r *receiver) comeBack() error {
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		return err
	}
	r.serve(listener)
	return nil
}

// serve begins to take requests from the listener, until the receiver leaves.
func (r *receiver) serve(listener net.Listener) {
	p := &presence{receiver: r}
	p.server.Handler, p.server.ReadHeaderTimeout = p, time.Minute
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.tell(err)
		}
	}()
	r.present = p
}

// leave cuts all connections, and waits for requests that are being taken: what is sent
// again must not overtake them.
func (r *receiver) leave() {
	_ = r.present.server.Close()
	r.present.taking.Lock()
	defer r.present.taking.Unlock()
	r.present.left = true
}

// mortal is a transport that sends nothing once it is killed.
type mortal struct {
	http.Transport
	mu   sync.RWMutex // held while a request is on its way
	dead bool
}

func (t *mortal) RoundTrip(q *http.Request) (*http.Response, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.dead { // an answer that makes the sender give up
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: q}, nil
	}
	return t.Transport.RoundTrip(q)
}

// kill waits for the request on its way, after which no other is sent.
func (t *mortal) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = true
	t.CloseIdleConnections()
}

func (r *receiver) tell(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wrong) < 10 {
		r.wrong = append(r.wrong, err)
	}
}

// ServeHTTP takes a request.
func (r *presence) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.taking.RLock()
	defer r.taking.RUnlock()
	if r.left {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	packed, err := io.ReadAll(io.LimitReader(q.Body, 32<<20))
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable) // to nobody: the connection was cut
		return
	}
	var request writev2.Request
	body, err := snappy.Decode(nil, packed)
	if err == nil {
		err = request.Unmarshal(body)
	}
	if err != nil {
		r.tell(err)
		http.Error(w, "not a request", http.StatusBadRequest)
		return
	}
	n := r.take(&request)
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(n))
	w.WriteHeader(http.StatusNoContent)
}

// take takes the samples of a request.
func (r *receiver) take(request *writev2.Request) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	newest := int64(0)
	for i := range request.Timeseries {
		of := &request.Timeseries[i]
		instance, labels := labelsOf(of.LabelsRefs, request.Symbols)
		if r.series[instance] == nil {
			r.series[instance] = make(map[string]*series)
		}
		s := r.series[instance][labels]
		if s == nil {
			s = &series{}
			r.series[instance][labels] = s
		}
		for _, sample := range of.Samples {
			n++
			newest = max(newest, sample.Timestamp)
			switch {
			case sample.Timestamp == s.last && math.Float64bits(sample.Value) == s.bits:
				r.again++ // as Prometheus lets pass, where the answer was lost
				continue
			case sample.Timestamp <= s.last:
				r.old++
				continue
			}
			s.last, s.bits = sample.Timestamp, math.Float64bits(sample.Value)
			if s.bits == staleMarker {
				continue
			}
			if sample.StartTimestamp != s.start {
				s.before += s.value
				s.start = sample.StartTimestamp
			}
			s.value = sample.Value
		}
	}
	r.samples += n
	r.delays = append(r.delays, time.Since(time.UnixMilli(newest)))
	return n
}

// labelsOf returns the instance, and the other labels.
func labelsOf(refs []uint32, symbols []string) (instance, others string) {
	var b strings.Builder
	for i := 0; i+1 < len(refs); i += 2 {
		name, value := symbols[refs[i]], symbols[refs[i+1]]
		if name == "instance" {
			instance = value
			continue
		}
		fmt.Fprintf(&b, "%s=%q,", name, value)
	}
	return instance, b.String()
}

// total returns what an instance has counted, over all its starts.
func (r *receiver) total(instance string) (sum float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range maps.Values(r.series[instance]) {
		sum += s.before + s.value
	}
	return sum
}

// reset begins a phase.
func (r *receiver) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests, r.samples, r.delays = 0, 0, nil
}

// taken returns what came since the phase began.
func (r *receiver) taken() (requests, samples int, delays []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests, r.samples, slices.Sorted(slices.Values(r.delays))
}

// faults returns how many samples came twice or too late, and other errors.
func (r *receiver) faults() (again, old int, wrong error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.again, r.old, errors.Join(r.wrong...)
}

// quantile returns one of sorted times.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	d := sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
	return d.Round(max(time.Millisecond, d/1000))
}
