package main

import (
	"errors"
	"io"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// prometheusPeer is github.com/prometheus/prometheus/model/textparse, by which
// the server reads what it scrapes and which knows no families, and its messages of
// remote write.
type prometheusPeer struct{}

func (prometheusPeer) name() string { return prometheusName }

func (prometheusPeer) prepare(t task) (*subject, error) {
	var contentType string
	switch t.kind {
	case textPage:
		contentType = "text/plain; version=0.0.4"
	case openMetricsPage:
		contentType = "application/openmetrics-text; version=1.0.0"
	case protobufPage:
		contentType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
	case writtenCounters, writtenInShards:
		return marshalling(t)
	default:
		return nil, errNotOffered
	}
	page, err := pageOf(t)
	return &subject{series: func() (count int, err error) {
		parser, err := textparse.New(page, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
		if err != nil {
			return 0, err
		}
		var series labels.Labels
		for {
			entry, err := parser.Next()
			if errors.Is(err, io.EOF) {
				return count, nil
			}
			if err != nil {
				return count, err
			}
			if entry == textparse.EntrySeries {
				parser.Series()
				parser.Labels(&series)
				count++
			}
		}
	}}, err
}
