// Package otelbridge joins telltale and the OpenTelemetry SDK for Go, so that a
// program can use both and libraries that know only one of them are on the same page.
//
// # Into a telltale registry
//
// What a MeterProvider has appears on the page of a telltale registry:
//
//	reader, err := otelbridge.NewReader(telltale.Default)
//	...
//	provider := metric.NewMeterProvider(metric.WithReader(reader))
//
// Data of the SDK are read as they are: nothing is encoded in between. Names are
// those of the compatibility specification of OpenTelemetry and Prometheus, the same
// as of go.opentelemetry.io/otel/exporters/prometheus: http.server.request.duration
// in seconds becomes http_server_request_duration_seconds, a monotonic sum ends in
// "_total". [WithTranslation] and [WithNamespace] say otherwise.
//
//	counter, observable counter           counter
//	updown counter, gauge, observables    gauge
//	histogram                             histogram with the same buckets
//	histogram, exponential aggregation    native histogram, of schema 8 at most
//	summary (of producers)                summary
//	attributes                            labels
//	resource                              target_info
//	instrumentation scope                 labels otel_scope_name, otel_scope_version, ...
//	exemplars                             exemplars with trace_id and span_id, but not of gauges
//	start time                            created time
//	delta temporality                     added up, so the page has totals
//
// A label of an attribute whose name samples have themselves ("le" of a histogram, or
// "otel_scope_name") begins with "exported_".
//
// If two metrics have the same name on the page and are of different types, the page
// has the first of them, by scope; the other is an error of the collection, a fault of
// the registry. The cure is a view of the SDK that renames one, or [WithNamespace] if
// they come from two providers. If the registry has a family of that name, its own or
// another collector's, the one that was registered first is shown.
//
// # Out of a telltale registry
//
// [NewProducer] makes any telltale collector a [metric.Producer], which a reader of
// the SDK collects together with the SDK's own metrics:
//
//	exporter, err := otlpmetrichttp.New(ctx)
//	...
//	reader := metric.NewPeriodicReader(exporter, metric.WithProducer(otelbridge.NewProducer(telltale.Default)))
//	provider := metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(otelbridge.Resource(telltale.Default)))
//
// The package is named otelbridge, because programs that use it also import
// go.opentelemetry.io/otel.
package otelbridge
