package collectors

import (
	"context"
	"runtime"
	"runtime/debug"

	"telltale"
	"telltale/internal/gather"
	"telltale/model"
)

// Info is a collector of facts that do not change while the program runs: one
// series with the value 1 and the facts as its labels. [NewBuildInfo],
// [NewPlatformInfo] and [NewVersion] make them. It is immutable and safe for
// concurrent use.
type Info struct {
	families []*model.Family // one family, or none if a view leaves it out
}

var (
	_ telltale.Describer  = (*Info)(nil)
	_ telltale.Restrictor = (*Info)(nil)
)

// NewBuildInfo returns a collector of go_build_info, which names the main module
// from which the program was built, with the labels path, version and checksum.
// Their values are those of [debug.ReadBuildInfo], in particular the version
// "(devel)" and an empty checksum for a program built in its own checkout
// without version control, and "unknown" in a program built without module
// support. The name and labels are client_golang's.
func NewBuildInfo() *Info {
	path, version, checksum := "unknown", "unknown", "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		path, version, checksum = build.Main.Path, build.Main.Version, build.Main.Sum
	}
	return newInfo("go_build", "Build information about the main Go module.", model.LabelPairs(
		[]string{"path", "version", "checksum"},
		[]string{path, version, checksum},
	))
}

// NewPlatformInfo returns a collector of go_platform_info, which names the
// platform of the program, with the labels os ("linux"), arch ("amd64"),
// compiler ("gc") and version ("go1.25.0"): Go's names for the operating system
// and processor for which it was compiled, and the compiler. It corresponds to
// python_info of Python's client. It is not part of go_info, whose only label is
// fixed by client_golang.
func NewPlatformInfo() *Info {
	return newInfo("go_platform", "The platform this program was compiled for, and its compiler.", model.LabelPairs(
		[]string{"os", "arch", "compiler", "version"},
		[]string{runtime.GOOS, runtime.GOARCH, runtime.Compiler, runtime.Version()},
	))
}

func newInfo(name, help string, facts model.Labels) *Info {
	f := &model.Family{Name: name, Help: help, Type: model.Info}
	f.Append(model.Point{Has: model.PartInfo, Value: 1, Info: facts})
	return &Info{families: []*model.Family{f}}
}

// Collect emits the info.
func (i *Info) Collect(ctx context.Context, emit func(*model.Family) error) error {
	for _, f := range i.families {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// Describe returns the info's family without its series.
func (i *Info) Describe() []*model.Family {
	var described []*model.Family
	for _, f := range i.families {
		described = append(described, f.Header())
	}
	return described
}

// Restricted returns the info if its family or its sample is named, else a
// collector of nothing.
func (i *Info) Restricted(names ...string) telltale.Collector {
	wanted := gather.NamesOf(names).Has
	view := &Info{}
	for _, f := range i.families {
		if left, some := f.Restrict(wanted); some {
			view.families = append(view.families, left)
		}
	}
	return view
}
