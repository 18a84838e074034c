package clientgolang

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// describe returns the names that a collector describes, each once and in order,
// or an error if Describe panics.
func describe(c prometheus.Collector) (names []string, err error) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("clientgolang: Describe of %T panicked: %v", c, p)
			}
		}()
		c.Describe(descs)
	}()
	seen := make(map[string]bool)
	for d := range descs {
		if name := nameOf(d); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, err
}
