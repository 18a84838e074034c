package exposition_test

import (
	"testing"

	"telltale/exposition"
	"telltale/model"
)

func TestFormatOf(t *testing.T) {
	for _, f := range formats {
		for _, scheme := range schemes {
			f := f.WithEscaping(scheme)
			if got, ok := exposition.FormatOf(f.ContentType()); got != f || !ok {
				t.Errorf("%s is taken for %s, %v", f, got, ok)
			}
		}
	}
	for in, want := range map[string]exposition.Format{
		"text/plain":                 exposition.Text004,
		"TEXT/PLAIN ; charset=utf-8": exposition.Text004,
		"text/plain; version=0.0.4":  exposition.Text004,
		"text/plain; version=\"1.0.0\"; escaping=allow-utf-8":    exposition.Text100.WithEscaping(model.AllowUTF8),
		"application/openmetrics-text":                           exposition.OpenMetrics1,
		"application/openmetrics-text; version=0.0.1; q=\"0.5\"": exposition.OpenMetrics001,
	} {
		if got, ok := exposition.FormatOf(in); got != want || !ok {
			t.Errorf("%q is taken for %s, %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "text/html", "text/*", "*/*", "application/json", "plain", "text/plain; version=0.0.3"} {
		if got, ok := exposition.FormatOf(in); ok {
			t.Errorf("%q is taken for %s", in, got)
		}
	}
}
