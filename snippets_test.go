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
	"errors":       "errors",
	"fmt":          "fmt",
	"io":           "io",
	"log":          "log",
	"http":         "net/http",
	"os":           "os",
	"signal":       "os/signal",
	"strings":      "strings",
	"testing":      "testing",
	"time":         "time",
	"telltale":     "telltale",
	"auto":         "telltale/auto",
	"collectors":   "telltale/collectors",
	"exposition":   "telltale/exposition",
	"live":         "telltale/live",
	"model":        "telltale/model",
	"multiprocess": "telltale/multiprocess",
	"push":         "telltale/push",
	"rules":        "telltale/rules",
	"scrapehttp":   "telltale/scrapehttp",
	"telltaletest": "telltale/telltaletest",

	// of the other modules of go.work
	"clientgolang":   "telltale/bridge/clientgolang",
	"prometheus":     "github.com/prometheus/client_golang/prometheus",
	"httpmetrics":    "telltale/httpmetrics",
	"rulesfile":      "telltale/rulesfile",
	"grpcmetrics":    "telltale/grpcmetrics",
	"otelbridge":     "telltale/bridge/otel",
	"remotewrite":    "telltale/push/remotewrite",
	"otlp":           "telltale/push/otlp",
	"grpc":           "google.golang.org/grpc",
	"credentials":    "google.golang.org/grpc/credentials",
	"health":         "google.golang.org/grpc/health",
	"grpc_health_v1": "google.golang.org/grpc/health/grpc_health_v1",
	"otel":           "go.opentelemetry.io/otel",
	"metric":         "go.opentelemetry.io/otel/sdk/metric",
}

// goCode is a piece of Go, and after it what it prints, if the page shows that: a
// block marked "output" that follows at once.
var goCode = regexp.MustCompile("(?ms)^```go\n(.*?)^```\n(?:\n```output\n(.*?)^```\n)?")

// piece is a block of Go on a page.
type piece struct {
	position string // page:line
	folder   string // of its package in the overlay
	output   string // what it prints; empty if the page does not show it
}

// The pieces of Go on the project's pages compile, and print what the pages show.
func TestPagesShowGoThatCompiles(t *testing.T) {
	onlyOnce(t)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	const top = "internal/snippets" // which is not there: an overlay shows it to the compiler
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	var pieces []piece
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text := read(t, page)
		for _, m := range goCode.FindAllStringSubmatchIndex(text, -1) {
			p := piece{
				position: fmt.Sprintf("%s:%d", page, 1+strings.Count(text[:m[2]], "\n")),
				folder:   fmt.Sprintf("%s/piece%d", top, len(pieces)),
			}
			if m[4] >= 0 {
				p.output = text[m[4]:m[5]]
			}
			program, err := asFile(p, text[m[2]:m[3]])
			if err != nil {
				t.Errorf("%s: %v", p.position, err)
				continue
			}
			pieces = append(pieces, p)
			file := filepath.Join(t.TempDir(), "piece.go")
			if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay.Replace[absolute(t, filepath.Join(p.folder, "piece.go"))] = file
		}
	}
	if len(pieces) == 0 {
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
	programs := t.TempDir()
	compile, link := []string{"build", "-overlay", file}, []string{"build", "-overlay", file, "-o", programs + "/"}
	for _, p := range pieces {
		compile = append(compile, "./"+p.folder)
		if p.output != "" {
			link = append(link, "./"+p.folder)
		}
	}
	for _, args := range [][]string{compile, link} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	printed := 0
	for _, p := range pieces {
		if p.output == "" {
			continue
		}
		printed++
		got, err := exec.CommandContext(t.Context(), filepath.Join(programs, filepath.Base(p.folder))).Output()
		if err != nil || string(got) != p.output {
			t.Errorf("%s: %v, it prints\n%s\nand the page shows\n%s", p.position, err, got, p.output)
		}
	}
	if printed == 0 {
		t.Error("no page shows what Go prints")
	}
}

// asFile makes a file of a piece of a program: a whole file, declarations, or
// statements of a function. The latter two get the imports that they need, and
// statements use all variables that they declare. A piece whose output is shown
// becomes a program.
func asFile(p piece, text string) (string, error) {
	line := "//line " + p.position + "\n"
	if regexp.MustCompile(`(?m)^package \w+$`).MatchString(text) {
		return line + text, nil
	}
	name, function := "snippets", "piece"
	if p.output != "" {
		name, function = "main", "main"
	}
	parse := func(body string) (*ast.File, error) {
		return parser.ParseFile(token.NewFileSet(), "", "package "+name+"\n\n"+body, parser.SkipObjectResolution)
	}
	body := line + text
	variables := map[string]bool{}
	file, err := parse(body)
	if err != nil {
		body = "func " + function + "() {\n" + line + text + "\n}\n"
		if file, err = parse(body); err != nil {
			return "", err
		}
		for _, stmt := range file.Decls[0].(*ast.FuncDecl).Body.List {
			if a, ok := stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
				for _, v := range a.Lhs {
					if v := v.(*ast.Ident); v.Name != "_" {
						variables[v.Name] = true
					}
				}
			}
		}
	}
	imports := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && packages[x.Name] != "" && !variables[x.Name] {
				imports[packages[x.Name]] = true
			}
		}
		return true
	})
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", name)
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&b, "import %q\n", path)
	}
	end := strings.LastIndex(body, "}")
	b.WriteString(body[:end])
	for _, v := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&b, "_ = %s\n", v)
	}
	b.WriteString(body[end:])
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
