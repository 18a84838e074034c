package collectors

import (
	"runtime/debug"

	"telltale"
	"telltale/model"
)

// Reads names what a collect of the Go collector or of a view of it reads.
func Reads(c telltale.Collector) []string {
	g := c.(*Go)
	names := g.samples
	if g.pauses {
		names = append(names, "debug.GCStats")
	}
	return names
}

// VersionLabels is what NewVersion makes of a build and of what the linker set.
func VersionLabels(build *debug.BuildInfo, version, branch string) model.Labels {
	return versionLabels(build, version, branch)
}
