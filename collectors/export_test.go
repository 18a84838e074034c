package collectors

import "telltale"

// Reads names what a collect of the Go collector or of a view of it reads.
func Reads(c telltale.Collector) []string {
	g := c.(*Go)
	names := g.samples
	if g.pauses {
		names = append(names, "debug.GCStats")
	}
	return names
}
