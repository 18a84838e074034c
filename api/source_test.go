package api_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type module struct{ path, main, dir string }

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// modules returns the modules that are released.
func modules(t *testing.T) (found []module) {
	t.Helper()
	for _, pattern := range []string{"../go.mod", "../*/go.mod", "../*/*/go.mod"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if slices.Contains([]string{"benchmarks", "e2e", "examples", "cmd"}, strings.Split(filepath.ToSlash(file), "/")[1]) {
				continue // not released, or a command
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m := module{path: moduleLine.FindStringSubmatch(string(text))[1], dir: filepath.Dir(file)}
			if m.main = m.path; len(found) > 0 {
				m.main = found[0].path
			}
			found = append(found, m)
		}
	}
	return found
}

// pkg is a package that others can import, for all systems.
type pkg struct {
	path  string
	main  string // the path of the main module
	files []*ast.File
	fset  *token.FileSet
}

// packages returns the packages of a module.
func packages(t *testing.T, m module) (found []pkg) {
	t.Helper()
	err := filepath.WalkDir(m.dir, func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		name := e.Name()
		if dir != m.dir {
			if name == "internal" || name == "testdata" || name == "examples" || name[0] == '.' {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				return filepath.SkipDir
			}
		}
		in, err := filepath.Rel(m.dir, dir)
		if err != nil {
			return err
		}
		p := pkg{main: m.main, path: path.Join(m.path, filepath.ToSlash(in)), fset: token.NewFileSet()}
		if p.files, err = parse(p.fset, dir); err != nil {
			return err
		}
		if len(p.files) > 0 && p.files[0].Name.Name != "main" {
			found = append(found, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func parse(fset *token.FileSet, dir string) (files []*ast.File, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// text prints a node on one line.
func (p pkg) text(node any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, p.fset, node); err != nil {
		panic(err) // of parsed source
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// lines returns the exported declarations, a line each.
func (p pkg) lines() (lines []string) {
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
					lines = append(lines, p.text(&ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type}))
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					lines = append(lines, p.spec(d.Tok, s)...)
				}
			}
		}
	}
	for _, a := range p.internalAliases() {
		for _, part := range a.parts {
			lines = append(lines, "type "+a.name+" has "+part)
		}
	}
	return lines
}

func (p pkg) spec(tok token.Token, s ast.Spec) (lines []string) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() {
				line := tok.String() + " " + n.Name
				if s.Type != nil {
					line += " " + p.text(s.Type)
				}
				lines = append(lines, line)
			}
		}
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return nil
		}
		head := "type " + s.Name.Name
		if s.TypeParams != nil {
			var of []string
			for _, f := range s.TypeParams.List {
				of = append(of, p.text(f.Type))
			}
			head += "[" + strings.Join(of, ", ") + "]"
		}
		switch t := s.Type.(type) {
		case *ast.StructType:
			lines = append(lines, head+" struct")
			lines = append(lines, p.fields(head+" struct, ", t.Fields)...)
		case *ast.InterfaceType:
			lines = append(lines, head+" interface")
			lines = append(lines, p.fields(head+" interface, ", t.Methods)...)
		default:
			if s.Assign.IsValid() {
				head += " ="
			}
			lines = append(lines, head+" "+p.text(s.Type))
		}
	}
	return lines
}

// fields returns a line for each exported field or method, and one for all others of
// an interface: nobody else can implement it.
func (p pkg) fields(head string, list *ast.FieldList) (lines []string) {
	for _, f := range list.List {
		names := f.Names
		if len(names) == 0 {
			lines = append(lines, head+p.text(f.Type))
		}
		for _, n := range names {
			if !n.IsExported() {
				if _, method := f.Type.(*ast.FuncType); method {
					lines = append(lines, head+"unexported methods")
				}
				continue
			}
			line := head + n.Name + " " + p.text(f.Type)
			if _, method := f.Type.(*ast.FuncType); method {
				line = head + n.Name + strings.TrimPrefix(p.text(f.Type), "func")
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// alias is an alias of a type in an internal package.
type alias struct {
	name, doc string
	parts     []string // exported fields and methods of the type
}

func (p pkg) internalAliases() (found []alias) {
	for _, f := range p.files {
		imports := map[string]string{}
		for _, i := range f.Imports {
			if at, err := strconv.Unquote(i.Path.Value); err == nil && strings.Contains(at, "/internal/") {
				imports[path.Base(at)] = at
			}
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				t, ok := s.(*ast.TypeSpec)
				if !ok || !t.Assign.IsValid() || !t.Name.IsExported() {
					continue
				}
				of, ok := t.Type.(*ast.SelectorExpr)
				if !ok || imports[of.X.(*ast.Ident).Name] == "" {
					continue
				}
				a := alias{name: t.Name.Name, doc: t.Doc.Text() + g.Doc.Text()}
				dir := filepath.Join("..", strings.TrimPrefix(imports[of.X.(*ast.Ident).Name], p.main+"/"))
				a.parts = partsOf(dir, of.Sel.Name)
				found = append(found, a)
			}
		}
	}
	return found
}

// partsOf returns the exported fields and methods of a type.
func partsOf(dir, name string) (parts []string) {
	files, err := parse(token.NewFileSet(), dir)
	if err != nil {
		panic(err) // it was compiled
	}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && receiver(d) == name && d.Name.IsExported() {
					parts = append(parts, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					t, ok := s.(*ast.TypeSpec)
					if !ok || t.Name.Name != name {
						continue
					}
					list := &ast.FieldList{}
					switch t := t.Type.(type) {
					case *ast.StructType:
						list = t.Fields
					case *ast.InterfaceType:
						list = t.Methods
					}
					for _, field := range list.List {
						for _, n := range field.Names {
							if n.IsExported() {
								parts = append(parts, n.Name)
							}
						}
					}
				}
			}
		}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}
