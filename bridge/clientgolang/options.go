package clientgolang

import (
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Option is an option of [FromGatherer] and [FromCollector].
type Option interface{ applyFrom(*bridge) }

type option func(*bridge)

func (o option) applyFrom(b *bridge) { o(b) }

// WithRuntime keeps the families of client_golang's Go and process collectors, for
// a registry that does not have those of package telltale/collectors.
func WithRuntime() Option {
	return option(func(b *bridge) { b.hides = func() func(string) bool { return hidesNothing } })
}

func hidesNothing(string) bool { return false }

// runtimeNames returns the names of the families of the Go and process collectors
// that client_golang's default registry has from the start. The map must not be
// changed.
var runtimeNames = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool)
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		described, _ := describe(c) // client_golang's own do not panic
		for _, name := range described {
			names[name] = true
		}
	}
	return names
})

func isRuntime(name string) bool { return runtimeNames()[name] }

// nameOf returns the name in a descriptor, which only its text has, or "" if the
// descriptor is not valid.
func nameOf(d *prometheus.Desc) string {
	_, rest, ok := strings.Cut(d.String(), "fqName: ")
	if !ok {
		return ""
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return ""
	}
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return ""
	}
	return name
}
