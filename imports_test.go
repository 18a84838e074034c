package telltale_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the parts of the module, from the ground up, as ARCHITECTURE has
// them: a package imports only packages of rooms below its own. Paths are
// relative to the module; one that ends in a slash stands for all below it.
var rooms = [][]string{
	{"model"},
	{"internal/cell", "internal/forward", "internal/hash", "internal/patience", "internal/reserved"},
	{"internal/"},
	{"multiprocess/internal/segment", "multiprocess/internal/catalog"},
	{"multiprocess/internal/spool"},
	{"multiprocess/internal/estate"},
	{"multiprocess/internal/segsource", "multiprocess/internal/python", "multiprocess/internal/store"},
	{"multiprocess/internal/fold", "multiprocess/internal/merging"},
	{"exposition/", "multiprocess/", "lint/", "catalogue/"}, // each knows nothing of the others
	{"exposition", "multiprocess", "lint", "catalogue"},     // each may put together what is below it
	{""},
	{"internal/builder"},
	{"auto/", "collectors/", "scrapehttp/", "push/", "rules/", "live/", "telltaletest/"},
	{"examples/", "docs", "api"}, // the latter two have tests alone
}

// thirdParty is what packages may import from elsewhere, by room. What is below
// the root package is the standard library, but for mapped memory, protobuf and
// compression; the root package itself is held to more by its own test.
var thirdParty = [][]string{
	{},
	{},
	{"golang.org/x/sys/"},
	{},
	{"golang.org/x/sys/"},
	{},
	{"golang.org/x/sys/"},
	{},
	{"golang.org/x/sys/", "google.golang.org/protobuf/"},
	{"golang.org/x/sys/", "google.golang.org/protobuf/"},
	{},
	{},
	{"golang.org/x/sys/", "google.golang.org/protobuf/", "github.com/klauspost/compress/", "github.com/prometheus/procfs"},
	nil, // examples may use what they like
}

const module = "telltale"

// roomOf returns the number of the room that a package of the module is in.
func roomOf(path string) (room int, ok bool) {
	in := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for room, members := range rooms {
		if slices.Contains(members, in) {
			return room, true
		}
	}
	for room, members := range rooms {
		for _, m := range members {
			if prefix, all := strings.CutSuffix(m, "/"); all && (in == prefix || strings.HasPrefix(in, m)) {
				return room, true
			}
		}
	}
	return 0, false
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// standard reports whether a package is of the standard library, whose paths
// have no dot in their first part.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !ours(path) && !strings.Contains(first, ".")
}

// onlyOnce skips a test of the tree itself with -short: it runs the go command for a
// while, and what it finds does not depend on how the test is compiled.
func onlyOnce(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs the go command for a while")
	}
}

// goList runs go list for an operating system and returns its lines.
func goList(t *testing.T, goos string, args ...string) []string {
	t.Helper()
	onlyOnce(t)
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to ask")
	}
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			for _, line := range goList(t, goos, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
				imports := strings.Fields(line)
				checkImports(t, imports[0], imports[1:])
			}
		})
	}
}

func checkImports(t *testing.T, importer string, imports []string) {
	t.Helper()
	room, ok := roomOf(importer)
	if !ok {
		t.Errorf("%s is in no room of the design", importer)
		return
	}
	for _, path := range imports {
		switch {
		case standard(path) || path == "C":
		case ours(path):
			if below, ok := roomOf(path); !ok || below >= room {
				t.Errorf("%s imports %s, which is not below it", importer, path)
			}
		case thirdParty[room] != nil && !slices.ContainsFunc(thirdParty[room], func(allowed string) bool { return strings.HasPrefix(path, allowed) }):
			t.Errorf("%s imports %s, which its room does not use", importer, path)
		}
	}
}

// A program that uses telltale and nothing else takes in little.
func TestRootDependsOnLittle(t *testing.T) {
	for _, path := range goList(t, "linux", "-deps", ".") {
		allowed := standard(path) || path == module || path == module+"/model" || path == module+"/exposition/text" || strings.HasPrefix(path, module+"/internal/")
		if !allowed {
			t.Errorf("the root package depends on %s", path)
		}
	}
}
