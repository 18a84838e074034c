// Package remotewrite sends metrics by Prometheus remote write, to Prometheus, Mimir,
// Thanos, VictoriaMetrics, an OpenTelemetry collector or any other receiver.
//
//	sender, err := remotewrite.NewSender(reg, "https://mimir/api/v1/push",
//		remotewrite.WithLabels(map[string]string{"job": "shop", "instance": host}))
//	...
//	err = sender.Run(ctx) // until ctx is done; then it sends what is left
//
// Each series is sent with its type, help and unit, its exemplars, and when it began to
// count; native histograms as such. A series that has gone is ended by a stale marker.
//
// A receiver is sent version 2.0 of the protocol, and 1.0 if it answers that it does
// not speak 2.0, or does not tell what it has written. Version 1.0 has no start
// timestamps.
//
// What the receiver does not take at once waits in a bounded queue and is sent again: as
// long as the queue has room, nothing is lost while the receiver is away, and no sample
// is sent before an older one of its series is acknowledged or given up. See [Health].
//
// A job that only sends at its end pushes to a [Target].
package remotewrite
