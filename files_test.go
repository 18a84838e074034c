package telltale_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layered are the packages whose files TestFilesReferDownwards checks.
var layered = []string{".", "./auto", "./exposition", "./internal/cell", "./internal/exact", "./internal/gather", "./internal/series"}

// pairs are files that may refer to each other, by package: the methods of one type.
var pairs = map[string][][2]string{
	module: {
		{"counter.go", "counterread.go"},
		{"counter.go", "counterspread.go"},
		{"counter.go", "countermoves.go"},
		{"counter.go", "counterexpiry.go"},
		{"gauge.go", "gaugeexpiry.go"},
		{"histogram.go", "histogramexpiry.go"},
		{"histogram.go", "nativehistogram.go"},
		{"scrape.go", "scrapejoins.go"},
		{"scrape.go", "scrapenames.go"},
	},
	module + "/internal/series": {{"set.go", "rebuild.go"}, {"set.go", "track.go"}},
}

// references are the files to which each file of a package refers, and one name
// that it takes from there.
type references map[string]map[string]string

func referencesOf(t *testing.T, fset *token.FileSet, imports types.Importer, path, dir string, names []string) references {
	t.Helper()
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: imports}
	pkg, err := config.Check(path, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	refs := make(references)
	for use, object := range info.Uses {
		switch o := object.(type) {
		case *types.Func:
			object = o.Origin()
		case *types.Var:
			object = o.Origin()
		}
		if object.Pkg() != pkg || !object.Pos().IsValid() {
			continue
		}
		from, to := filepath.Base(fset.Position(use.Pos()).Filename), filepath.Base(fset.Position(object.Pos()).Filename)
		if from == to || slices.Contains(pairs[path], [2]string{from, to}) || slices.Contains(pairs[path], [2]string{to, from}) {
			continue
		}
		if refs[from] == nil {
			refs[from] = make(map[string]string)
		}
		refs[from][to] = object.Name()
	}
	return refs
}

// exported imports packages as the go command has compiled them, which takes a fraction
// of the time of checking their sources.
func exported(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	files := make(map[string]string)
	for _, line := range goList(t, "linux", append([]string{"-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, layered...)...) {
		path, file, _ := strings.Cut(line, " ")
		files[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
}

// circle returns a way from a file back to itself, or to a file on the way.
func (r references) circle(way []string, done map[string]bool) []string {
	last := way[len(way)-1]
	if i := slices.Index(way, last); i < len(way)-1 {
		return way[i:]
	}
	if done[last] {
		return nil
	}
	for _, next := range slices.Sorted(maps.Keys(r[last])) {
		if c := r.circle(append(slices.Clip(way), next), done); c != nil {
			return c
		}
	}
	done[last] = true
	return nil
}

// Whoever reads a file needs to know only those below it.
func TestFilesReferDownwards(t *testing.T) {
	fset := token.NewFileSet()
	imports := exported(t, fset)
	for _, line := range goList(t, "linux", append([]string{"-f", `{{.ImportPath}} {{.Dir}} {{join .GoFiles " "}}`}, layered...)...) {
		fields := strings.Fields(line)
		path, dir, files := fields[0], fields[1], fields[2:]
		t.Run(path, func(t *testing.T) {
			refs, done := referencesOf(t, fset, imports, path, dir, files), make(map[string]bool)
			for _, file := range slices.Sorted(maps.Keys(refs)) {
				c := refs.circle([]string{file}, done)
				if c == nil {
					continue
				}
				for i := range c[1:] {
					t.Errorf("%s refers to %s: %s", c[i], c[i+1], refs[c[i]][c[i+1]])
				}
				t.Fatal("these files refer to each other in a circle")
			}
		})
	}
}

// An exported option is an interface with an unexported method: a function could be
// called on what is in use already. That holds in all modules of the tree.
func TestOptionsAreSealed(t *testing.T) {
	options := 0
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for spec := range typeSpecs(f) {
			if !spec.Name.IsExported() || !strings.HasSuffix(spec.Name.Name, "Option") {
				continue
			}
			options++
			if _, function := spec.Type.(*ast.FuncType); function {
				t.Errorf("%s: %s is a function type", fset.Position(spec.Pos()), spec.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if options < 50 {
		t.Errorf("there are only %d types of options", options)
	}
}

func typeSpecs(f *ast.File) func(yield func(*ast.TypeSpec) bool) {
	return func(yield func(*ast.TypeSpec) bool) {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if spec, ok := s.(*ast.TypeSpec); ok && !yield(spec) {
					return
				}
			}
		}
	}
}
