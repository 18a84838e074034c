package main

import (
	"testing"

	"telltale"
	"telltale/collectors"
	"telltale/examples/internal/program"
)

// TestPage checks the page against its format and the rules of package lint.
func TestPage(t *testing.T) {
	if err := collectors.Register(telltale.Default); err != nil {
		t.Fatal(err)
	}
	requests.With("GET").Inc()
	page, err := telltale.GenerateLatest(telltale.Default)
	if err != nil {
		t.Fatal(err)
	}
	program.Page(page).Check(t)
}
