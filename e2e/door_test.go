package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
)

// door passes requests of remote write on to a receiver, one after the other and to the
// end, whoever waits for it. What a sender that was killed has sent thus never comes
// behind what its successor sends, however busy the machine is.
type door struct {
	to     string
	mu     sync.Mutex
	newest map[string]int64 // times by series, of version 1.0
}

func (d *door) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	packed, err := io.ReadAll(q.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || q.Context().Err() != nil {
		return // the sender was killed
	}
	times := timesOf(packed)
	for series, at := range times {
		if at < d.newest[series] {
			if gone(&d.mu, q) {
				return
			}
			break // which the receiver refuses
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.to, bytes.NewReader(packed))
	if err != nil {
		panic(err) // the address is the test's
	}
	request.Header = q.Header.Clone()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	for series, at := range times {
		d.newest[series] = max(d.newest[series], at)
	}
	for name, values := range answer.Header {
		if !slices.Contains([]string{"Content-Length", "Connection"}, name) {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // to nobody, if the sender was killed
}

// timesOf returns the newest times of the series of a request of version 1.0; those of
// another one are none.
func timesOf(packed []byte) map[string]int64 {
	times := map[string]int64{}
	var request prompb.WriteRequest
	body, err := snappy.Decode(nil, packed)
	if err != nil || request.Unmarshal(body) != nil {
		return times
	}
	b := labels.NewScratchBuilder(0)
	for _, s := range request.Timeseries {
		name := s.ToLabels(&b, nil).String()
		for _, sample := range s.Samples {
			times[name] = max(times[name], sample.Timestamp)
		}
	}
	return times
}

// gone reports whether the client of a request is gone, and waits for that without the
// lock: the server is told of it some time after it happened, but long before a client
// that lives gives up.
func gone(mu *sync.Mutex, q *http.Request) bool {
	mu.Unlock()
	defer mu.Lock()
	select {
	case <-q.Context().Done():
		return true
	case <-time.After(8 * time.Second):
		return false
	}
}
