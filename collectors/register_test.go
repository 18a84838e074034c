package collectors_test

import (
	"errors"
	"testing"

	"telltale"
	"telltale/collectors"
)

func TestRegisterAddsTheStandardSet(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithStrict())
	if err := collectors.Register(reg); err != nil {
		t.Fatal(err)
	}
	found := values(t, reg)
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes"} {
		if found[name] <= 0 {
			t.Errorf("%s is %v", name, found[name])
		}
	}
	infos := 0
	for f, err := range reg.Families(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "go_build" || f.Name == "go_platform" || f.Name == "go" {
			infos++
		}
	}
	if infos != 3 {
		t.Errorf("%d infos, not 3", infos)
	}
}

func TestRegisterAddsAllOrNothing(t *testing.T) {
	reg := telltale.NewRegistry()
	own := telltale.Must(telltale.NewInfo("go_platform", "Somebody else's.", telltale.In(reg)))
	err := collectors.Register(reg)
	var duplicate *telltale.DuplicateError
	if !errors.As(err, &duplicate) {
		t.Fatalf("a clash with the last of the set gave %v", err)
	}
	if described := reg.Describe(); len(described) != 1 {
		t.Errorf("the registry has %d families, not one", len(described))
	}
	if err := reg.Unregister(own); err != nil {
		t.Fatal(err)
	}
	if err := collectors.Register(reg); err != nil {
		t.Errorf("the set left names claimed: %v", err)
	}
}

func TestRegisterTwiceKeepsTheFirst(t *testing.T) {
	reg := telltale.NewRegistry()
	if err := collectors.Register(reg); err != nil {
		t.Fatal(err)
	}
	before := len(reg.Describe())
	if err := collectors.Register(reg); err == nil {
		t.Error("the set was registered twice")
	}
	if after := len(reg.Describe()); after != before {
		t.Errorf("%d families became %d", before, after)
	}
}

func TestRegisterWithoutRegistry(t *testing.T) {
	if err := collectors.Register(nil); err == nil {
		t.Error("no error")
	}
}
