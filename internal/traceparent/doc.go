// Package traceparent reads the header of W3C Trace Context, for the exemplars of
// requests.
package traceparent
