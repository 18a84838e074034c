package telltale_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packages are what the pieces of programs on the project's pages may use, by the
// names that they use them by.
var packages = map[string]string{
	"context":      "context",
	"log":          "log",
	"http":         "net/http",
	"testing":      "testing",
	"time":         "time",
	"telltale":     "telltale",
	"auto":         "telltale/auto",
	"collectors":   "telltale/collectors",
	"exposition":   "telltale/exposition",
	"model":        "telltale/model",
	"multiprocess": "telltale/multiprocess",
	"scrapehttp":   "telltale/scrapehttp",
	"telltaletest": "telltale/telltaletest",
}

var goCode = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// The pieces of Go on the project's pages compile.
func TestPagesShowGoThatCompiles(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	const folder = "internal/snippets" // which is not there: an overlay shows it to the compiler
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, page := range append(pages, "README.md") {
		for _, m := range goCode.FindAllStringSubmatchIndex(read(t, page), -1) {
			text := read(t, page)
			line := 1 + strings.Count(text[:m[2]], "\n")
			piece := text[m[2]:m[3]]
			if strings.Contains(piece, "\npackage ") {
				continue // a whole program, which is one of the examples
			}
			name := fmt.Sprintf("piece%d.go", len(overlay.Replace))
			program, err := asFile(strings.TrimSuffix(name, ".go"), fmt.Sprintf("%s:%d", page, line), piece)
			if err != nil {
				t.Errorf("%s:%d: %v", page, line, err)
				continue
			}
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay.Replace[absolute(t, filepath.Join(folder, name))] = file
		}
	}
	if len(overlay.Replace) == 0 {
		t.Fatal("no page shows Go")
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", file, "./"+folder).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// asFile makes a file of a piece of a program, which is a function or what may stand
// in one: with the imports that it needs, and using all variables that it declares.
func asFile(function, position, piece string) (string, error) {
	piece = "//line " + position + "\n" + piece
	if !strings.Contains(piece, "\nfunc ") {
		piece = "func " + function + "() {\n" + piece + "\n}\n"
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package snippets\n\n"+piece, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	imports, variables := map[string]bool{}, map[string]bool{}
	for _, stmt := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if a, ok := stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, v := range a.Lhs {
				variables[v.(*ast.Ident).Name] = true
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && packages[x.Name] != "" && !variables[x.Name] {
				imports[packages[x.Name]] = true
			}
		}
		return true
	})
	var b strings.Builder
	b.WriteString("package snippets\n\n")
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&b, "import %q\n", path)
	}
	end := strings.LastIndex(piece, "}")
	b.WriteString(piece[:end])
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&b, "_ = %s\n", name)
	}
	b.WriteString(piece[end:])
	return b.String(), nil
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
