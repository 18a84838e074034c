package otelbridge_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"

	otelbridge "telltale/bridge/otel"
	"telltale/scrapehttp"
)

// The page is that of OpenTelemetry's own exporter for Prometheus, but for labels
// with empty values (a scope without a version), which are the same to Prometheus.
func TestPageIsThatOfTheExporter(t *testing.T) {
	for name, c := range map[string]struct {
		ours   []otelbridge.ReaderOption
		theirs []exporter.Option
	}{
		"default":   {},
		"namespace": {[]otelbridge.ReaderOption{otelbridge.WithNamespace("big.shop")}, []exporter.Option{exporter.WithNamespace("big.shop")}},
		"utf-8": {
			[]otelbridge.ReaderOption{otelbridge.WithTranslation(otlptranslator.NoUTF8EscapingWithSuffixes)},
			[]exporter.Option{exporter.WithTranslationStrategy(otlptranslator.NoUTF8EscapingWithSuffixes)},
		},
		"no suffixes": {
			[]otelbridge.ReaderOption{otelbridge.WithTranslation(otlptranslator.UnderscoreEscapingWithoutSuffixes)},
			[]exporter.Option{exporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes)},
		},
		"as they are": {
			[]otelbridge.ReaderOption{otelbridge.WithTranslation(otlptranslator.NoTranslation)},
			[]exporter.Option{exporter.WithTranslationStrategy(otlptranslator.NoTranslation)},
		},
		"resource as labels": {
			[]otelbridge.ReaderOption{otelbridge.WithoutTargetInfo(), otelbridge.WithResourceLabels(attribute.NewAllowKeysFilter("service.name"))},
			[]exporter.Option{exporter.WithoutTargetInfo(), exporter.WithResourceAsConstantLabels(attribute.NewAllowKeysFilter("service.name"))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			reg, faults := newRegistry()
			ours, err := otelbridge.NewReader(reg, c.ours...)
			if err != nil {
				t.Fatal(err)
			}
			gatherer := prometheus.NewRegistry()
			theirs, err := exporter.New(append(c.theirs, exporter.WithRegisterer(gatherer))...)
			if err != nil {
				t.Fatal(err)
			}
			program(t, newProvider(t, ours, theirs))
			for range 2 {
				compare(t, page(t, scrapehttp.Handler(reg)), page(t, promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{})))
			}
			if all := faults.all(); len(all) > 0 {
				t.Errorf("faults %v", all)
			}
		})
	}
}
