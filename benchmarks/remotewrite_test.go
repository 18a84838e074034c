package main

import (
	"testing"

	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
)

// TestPeersSendTheSame has the counters of a registry sent and marshalled again, which
// makes as many bytes.
func TestPeersSendTheSame(t *testing.T) {
	work := task{kind: writtenCounters, families: 1, series: 4500}
	bodies, err := requestsOf(work)
	if err != nil || len(bodies) != 3 {
		t.Fatalf("%d requests, want 3; %v", len(bodies), err)
	}
	series, sum := 0, 0.0
	for _, body := range bodies {
		var r writev2.Request
		if err := r.Unmarshal(body); err != nil {
			t.Fatal(err)
		}
		again, err := r.OptimizedMarshal(nil)
		if err != nil || len(again) != len(body) {
			t.Errorf("Prometheus makes %d bytes of what telltale has in %d: %v", len(again), len(body), err)
		}
		series += len(r.Timeseries)
		for _, s := range r.Timeseries {
			if len(s.Samples) != 1 || s.Samples[0].StartTimestamp == 0 || len(s.LabelsRefs) != 2*(len(labelNames)+3) {
				t.Fatalf("%+v", s)
			}
			sum += s.Samples[0].Value
		}
	}
	if want := countersTally(work); series != want.samples || sum != want.sum {
		t.Errorf("%d series with a sum of %v, want %+v", series, sum, want)
	}
	for _, p := range roster() {
		for _, kind := range []kind{writtenCounters, writtenInShards} {
			t.Run(p.name(), func(t *testing.T) {
				s := prepared(t, p, task{kind: kind, families: 1, series: 4500})
				for range 2 {
					if err := s.send(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}
