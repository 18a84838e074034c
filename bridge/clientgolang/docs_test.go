package clientgolang_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The page about coming from client_golang shows these programs, so that they compile.
func TestDocsShowThePrograms(t *testing.T) {
	docs, err := os.ReadFile("../../docs/from-client_golang.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"moved", "oldseries"} {
		program, err := os.ReadFile(filepath.Join("internal", folder, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(docs, []byte("```go\n"+string(program)+"```\n")) {
			t.Errorf("docs/from-client_golang.md does not show the program in internal/%s as it is", folder)
		}
	}
}
