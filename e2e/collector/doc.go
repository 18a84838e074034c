// Package collector has the test that gives telltale's metrics to an OpenTelemetry
// collector, and in program the collector that it builds. It is a module of its own:
// the collector's dependencies are many, and no other test needs them.
package collector
