package openmetrics_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"telltale/exposition/openmetrics"
	"telltale/model"
)

// conformance is where the cases of the OpenMetrics project are, which are no
// part of this repository.
const conformance = "../../../shared/conformance/openmetrics-1.0/cases"

// all returns the families of a page.
func all(page []byte, opts ...openmetrics.ParserOption) ([]*model.Family, error) {
	p := openmetrics.NewParser(bytes.NewReader(page), opts...)
	var families []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return families, err
		}
		families = append(families, f)
	}
}

// Every valid case of the specification's own tests parses, and every invalid
// one is refused with its place.
func TestConformance(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join(conformance, "*", "test.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("the conformance cases are not in %s", conformance)
		}
		t.Skipf("SKIPPED, AND NOTHING WAS CHECKED: the conformance cases are not in %s", conformance)
	}
	for _, file := range cases {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c struct {
				File        string `json:"file"`
				ShouldParse bool   `json:"shouldParse"`
			}
			description, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(description, &c)
			}
			if err != nil {
				t.Fatal(err)
			}
			page, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			_, err = all(page)
			var syntax *openmetrics.SyntaxError
			switch {
			case c.ShouldParse && err != nil:
				t.Errorf("%v in\n%s", err, page)
			case !c.ShouldParse && !errors.As(err, &syntax):
				t.Errorf("error %v in\n%s", err, page)
			}
		})
	}
}
