package collectors_test

import (
	"context"
	"fmt"
	"runtime"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

// The version is the main module's, or the one that the linker sets; revision, branch and
// tags are there where they are known.
func ExampleNewVersion() {
	version, err := collectors.NewVersion("shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(version); err != nil {
		fmt.Println(err)
		return
	}
	err = reg.Collect(context.Background(), func(f *model.Family) error {
		for s := range f.Samples() {
			goos, _ := s.Labels.Get("goos")
			fmt.Println(s.Name, goos == runtime.GOOS, s.Value)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// shop_build_info true 1
	// <nil>
}

// The build and the platform have families of their own, which [collectors.Register]
// adds.
func ExampleNewBuildInfo() {
	for _, c := range []telltale.Describer{collectors.NewBuildInfo(), collectors.NewPlatformInfo()} {
		for _, f := range c.Describe() {
			fmt.Println(f.Type, f.SampleName())
		}
	}
	// Output:
	// info go_build_info
	// info go_platform_info
}
