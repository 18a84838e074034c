package main

import (
	"errors"
	"io"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// prometheusPeer is github.com/prometheus/prometheus/model/textparse, by which
// the server reads what it scrapes. It knows no families.
type prometheusPeer struct{}

func (prometheusPeer) name() string { return prometheusName }

func (prometheusPeer) prepare(t task) (*subject, error) {
	var contentType string
	switch t.kind {
	case textPage:
		contentType = "text/plain; version=0.0.4"
	case openMetricsPage:
		contentType = "application/openmetrics-text; version=1.0.0"
	default:
		return nil, errNotOffered
	}
	page := pageOf(t)
	return &subject{lines: func() (samples int, err error) {
		parser, err := textparse.New(page, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
		if err != nil {
			return 0, err
		}
		var series labels.Labels
		for {
			entry, err := parser.Next()
			if errors.Is(err, io.EOF) {
				return samples, nil
			}
			if err != nil {
				return samples, err
			}
			if entry == textparse.EntrySeries {
				parser.Series()
				parser.Labels(&series)
				samples++
			}
		}
	}}, nil
}
