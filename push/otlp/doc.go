// Package otlp sends metrics by the protocol of OpenTelemetry, OTLP over HTTP, to a
// collector, Prometheus 3 or any other receiver.
//
//	sender, err := otlp.NewSender(reg, "https://collector:4318",
//		otlp.WithResource(map[string]string{"service.name": "shop"}))
//	...
//	err = sender.Run(ctx) // until ctx is done; then it sends what is left
//
// Metrics keep their names and are cumulative, by the specification of compatibility of
// OpenTelemetry and Prometheus:
//
//	counter                      monotonic sum, its name ends in "_total"
//	gauge, unknown               gauge
//	histogram, native buckets    exponential histogram, with the classic ones left out
//	histogram, other buckets     histogram
//	summary                      summary
//	info, state set              sum that is not monotonic, of ones and zeros
//	gauge histogram              gauges, one for each of its samples
//	unit                         its abbreviation: "s" for "seconds"
//	created time                 start time of the series
//	exemplars                    exemplars, with trace and span where labels have them
//	labels otel_scope_...        instrumentation scope, elsewhere [ScopeName]
//	target_info                  resource, if it is one series
//
// The resource has a service.instance.id that no other process has, unless target_info
// or [WithResource] has one.
//
// What the receiver does not take at once waits in a bounded queue and is sent again: as
// long as the queue has room, nothing is lost while the receiver is away. See [Health].
//
// A job that only sends at its end pushes to a [Target].
package otlp
