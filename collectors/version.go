package collectors

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"telltale/model"
)

// Set by the linker, because a build does not record them itself:
//
//	go build -ldflags "-X telltale/collectors.version=1.4.2 -X telltale/collectors.branch=main"
var version, branch string

// NewVersion returns a collector of {program}_build_info, which names the
// version of the program, with the labels of Prometheus's own programs as far as
// their values are known:
//
//	version    set by the linker (-X telltale/collectors.version=...), else the main module's
//	revision   the commit, with "-dirty" where files differed from it
//	branch     set by the linker (-X telltale/collectors.branch=...): a build records none
//	goversion  the version of Go
//	goos       the operating system
//	goarch     the processor
//	tags       build tags
//
// A label without a value is left out. Revision and tags are those of
// [debug.ReadBuildInfo], so there is no revision in tests, in programs started
// by "go run", and in builds with -buildvcs=false. It returns an error if the
// program's name cannot begin the name of a family.
func NewVersion(program string) (*Info, error) {
	if !model.LegacyName(program) {
		return nil, fmt.Errorf("collectors: %q cannot begin the name of a metric: it needs a letter, an underscore or a colon, then these and digits", program)
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	return newInfo(program+"_build", "Version of the program, and what it was built with.", versionLabels(build, version, branch)), nil
}

// versionLabels returns the labels that have a value.
func versionLabels(build *debug.BuildInfo, version, branch string) model.Labels {
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision != "" && settings["vcs.modified"] == "true" {
		revision += "-dirty"
	}
	var names, values []string
	for _, l := range [...][2]string{
		{"version", cmp.Or(version, build.Main.Version)},
		{"revision", revision},
		{"branch", branch},
		{"goversion", runtime.Version()},
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"tags", settings["-tags"]},
	} {
		if l[1] != "" {
			names, values = append(names, l[0]), append(values, l[1])
		}
	}
	return model.LabelPairs(names, values)
}
