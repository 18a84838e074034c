// Package clientgolang joins telltale and
// github.com/prometheus/client_golang, so that a program can use both and third
// parties that know only one of them are on the same page.
//
// # Into a telltale registry
//
// What a client_golang registry has appears on the page of a telltale registry:
//
//	err := telltale.Default.Register(clientgolang.FromGatherer(prometheus.DefaultGatherer))
//
// Families are read as they are: nothing is encoded in between. A family that a
// gatherer cannot collect is a fault of the telltale registry, and the others are
// shown. The families of client_golang's own collectors of the Go runtime and of
// the process (go_goroutines, process_cpu_seconds_total and so on) are left out,
// because package telltale/collectors has them too; [WithRuntime] keeps them.
//
// The collector claims no names when it is registered, since what a gatherer has
// comes and goes. If both sides have a family of the same name, the page has the
// one that was registered first, and the other is a fault, "repeated_family".
// The cure is to give one side another name ([telltale.Prefixed] does so for a
// whole collector) or to stop registering one of the two.
//
// [Registerer] is for packages that want to register their metrics with a
// [prometheus.Registerer]: they register with a telltale registry.
//
// # Out of a telltale registry
//
// [ToGatherer] makes any telltale collector a [prometheus.Gatherer], for promhttp,
// testutil and pushers of client_golang; [ToCollector] makes it a
// [prometheus.Collector] that can be registered there.
package clientgolang
