package exposition_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

var schemes = []model.Escaping{model.AllowUTF8, model.Underscores, model.Dots, model.Values}

// page returns the families in the format.
func page(t testing.TB, f exposition.Format, families []*model.Family, opts ...exposition.EncoderOption) []byte {
	t.Helper()
	var out bytes.Buffer
	e := exposition.NewEncoder(&out, f, opts...)
	for _, family := range families {
		if err := e.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		gotLines, wantLines := bytes.Split(got, []byte{'\n'}), bytes.Split(want, []byte{'\n'})
		for i := range min(len(gotLines), len(wantLines)) {
			if !bytes.Equal(gotLines[i], wantLines[i]) {
				t.Fatalf("%s line %d (go test -update writes the file anew):\n got %s\nwant %s", path, i+1, gotLines[i], wantLines[i])
			}
		}
		t.Fatalf("%s: got %d lines, want %d", path, len(gotLines), len(wantLines))
	}
}

func TestGolden(t *testing.T) {
	all := families(t)
	for _, scheme := range schemes {
		t.Run(scheme.String(), func(t *testing.T) {
			text := page(t, exposition.Text004.WithEscaping(scheme), all)
			golden(t, "text."+scheme.String(), text)
			checkPage(t, text, exposition.Text004.WithEscaping(scheme))
			if newer := page(t, exposition.Text100.WithEscaping(scheme), all); !bytes.Equal(text, newer) {
				t.Error("text 1.0.0 is not written as 0.0.4")
			}

			om := page(t, exposition.OpenMetrics1.WithEscaping(scheme), all)
			golden(t, "openmetrics."+scheme.String(), om)
			checkPage(t, om, exposition.OpenMetrics1.WithEscaping(scheme))
			if older := page(t, exposition.OpenMetrics001.WithEscaping(scheme), all); !bytes.Equal(om, older) {
				t.Error("OpenMetrics 0.0.1 is not written as 1.0")
			}

			om2 := page(t, exposition.OpenMetrics2.WithEscaping(scheme), all)
			golden(t, "openmetrics2."+scheme.String(), om2)
			checkPage(t, om2, exposition.OpenMetrics2.WithEscaping(scheme))
		})
	}
}

func TestGoldenCreated(t *testing.T) {
	got := page(t, exposition.OpenMetrics1, families(t), exposition.WithCreated())
	golden(t, "openmetrics.created", got)
	checkPage(t, got, exposition.OpenMetrics1)
	all := families(t)
	for _, f := range []exposition.Format{exposition.Text004, exposition.OpenMetrics2} {
		if with, without := page(t, f, all, exposition.WithCreated()), page(t, f, all); !bytes.Equal(with, without) {
			t.Errorf("%s minds whether created times are wanted", f)
		}
	}
}
