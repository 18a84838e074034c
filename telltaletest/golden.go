package telltaletest

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"telltale"
)

// update is the flag -update of the test, which rewrites golden files. A test that
// imports this package uses it by flag.Lookup instead of defining its own.
var update = flag.Bool("update", false, "rewrite golden files")

// Golden compares the page of c with a file in the text format, as [Compare] does;
// names have the same meaning. With the flag -update it writes the file instead,
// and its folder if need be: go test ./... -run TestPage -update.
func Golden(t testing.TB, c telltale.Collector, file string, names ...string) {
	t.Helper()
	if *update {
		page, err := written(t.Context(), c, names)
		if err == nil {
			err = write(file, page)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	Compare(t, c, string(read(t, file)), names...)
}

// read reads a golden file, and ends the test if it cannot.
func read(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("telltaletest: %v; run the test with -update to write it", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(file string, page []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, page, 0o644)
}
