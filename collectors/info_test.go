package collectors_test

import (
	"maps"
	"runtime"
	"slices"
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

func oneInfo(t *testing.T, c telltale.Collector) model.Sample {
	t.Helper()
	all, err := families(t, c)
	if err != nil || len(all) != 1 || all[0].Type != model.Info {
		t.Fatalf("%d families, error %v", len(all), err)
	}
	samples := slices.Collect(all[0].Samples())
	if len(samples) != 1 || samples[0].Value != 1 {
		t.Fatalf("samples %v", samples)
	}
	return samples[0]
}

func TestBuildInfo(t *testing.T) {
	s := oneInfo(t, collectors.NewBuildInfo())
	if got := s.Labels.Names(); s.Name != "go_build_info" || !slices.Equal(got, []string{"path", "version", "checksum"}) {
		t.Errorf("%s with the labels %q", s.Name, got)
	}
	if path, _ := s.Labels.Get("path"); path != "telltale" {
		t.Errorf("path %q", path)
	}
}

func TestPlatformInfo(t *testing.T) {
	s := oneInfo(t, collectors.NewPlatformInfo())
	want := map[string]string{"os": runtime.GOOS, "arch": runtime.GOARCH, "compiler": runtime.Compiler, "version": runtime.Version()}
	if got := s.Labels.Map(); s.Name != "go_platform_info" || !maps.Equal(got, want) {
		t.Errorf("%s%v, want the labels %v", s.Name, got, want)
	}
}

func TestInfoRestricted(t *testing.T) {
	for _, name := range []string{"go_build", "go_build_info"} {
		oneInfo(t, collectors.NewBuildInfo().Restricted(name, "other"))
	}
}
