package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"telltale"
	"telltale/push/remotewrite"
)

// taking is a transport that takes all requests, and gives them to keep unless it is nil.
type taking struct{ keep func(body []byte) }

func (c taking) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.keep != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		c.keep(body)
	}
	h := http.Header{"X-Prometheus-Remote-Write-Samples-Written": {"1000000"}}
	return &http.Response{StatusCode: http.StatusNoContent, Header: h, Body: http.NoBody, Request: r}, nil
}

// written sends counters, by a target or by a sender with its four shards.
func (p telltalePeer) written(reg *telltale.Registry, t task) (*subject, error) {
	push, err := p.sender(reg, t, taking{})
	return &subject{send: push, resend: push}, err
}

func (p telltalePeer) sender(reg *telltale.Registry, t task, to taking) (push func() error, err error) {
	if err := p.fillCounters(reg, t); err != nil {
		return nil, err
	}
	labels := remotewrite.WithLabels(map[string]string{"job": "shop", "instance": "shop-7"})
	client := remotewrite.WithClient(&http.Client{Transport: to})
	if t.kind == writtenCounters {
		target, err := remotewrite.NewTarget("localhost", labels, client)
		return func() error { return target.Push(context.Background(), reg) }, err
	}
	sender, err := remotewrite.NewSender(reg, "localhost", labels, client, remotewrite.WithoutLastMarkers(), remotewrite.WithFlushTimeout(time.Hour))
	ended, cancel := context.WithCancel(context.Background())
	cancel() // which leaves the last collection of a run
	return func() error { return sender.Run(ended) }, err
}

// requestsOf returns what telltale sends, decompressed.
func requestsOf(t task) (bodies [][]byte, err error) {
	reg := telltale.NewRegistry(telltale.WithFamilySeriesLimit(0))
	one := t
	one.kind = writtenCounters
	push, err := (telltalePeer{}).sender(reg, one, taking{func(body []byte) {
		raw, wrong := snappy.Decode(nil, body)
		if err == nil {
			err = wrong
		}
		bodies = append(bodies, raw)
	}})
	if err != nil {
		return nil, err
	}
	if failed := push(); failed != nil {
		return nil, failed
	}
	return bodies, err
}

// marshalling marshals ready messages with what telltale sends, as the server's queue
// manager does, and compresses them.
func marshalling(t task) (*subject, error) {
	bodies, err := requestsOf(t)
	if err != nil {
		return nil, err
	}
	requests := make([]writev2.Request, len(bodies))
	series := 0
	for i, body := range bodies {
		if err := requests[i].Unmarshal(body); err != nil {
			return nil, err
		}
		series += len(requests[i].Timeseries)
	}
	if series != t.total() {
		return nil, fmt.Errorf("%d series are sent of %d", series, t.total())
	}
	var raw, packed []byte
	return &subject{send: func() (err error) {
		for i := range requests {
			if raw, err = requests[i].OptimizedMarshal(raw); err != nil {
				return err
			}
			packed = compressed(packed, raw)
		}
		return nil
	}}, nil
}

// compressing compresses ready bytes.
func (floorPeer) compressing(t task) (*subject, error) {
	bodies, err := requestsOf(t)
	var packed []byte
	return &subject{send: func() error {
		for _, body := range bodies {
			packed = compressed(packed, body)
		}
		return nil
	}}, err
}

// compressed returns a request as it is sent, which reuses packed.
func compressed(packed, raw []byte) []byte {
	if most := snappy.MaxEncodedLen(len(raw)); cap(packed) < most {
		packed = make([]byte, most)
	}
	return snappy.Encode(packed[:cap(packed)], raw)
}
