package apitest

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Options that do not fit an instrument, and labels that a struct does not have,
// are mistakes that the compiler finds.
func TestOptionsThatDoNotFit(t *testing.T) {
	const file = "testdata/misfit/misfit.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(line, "// misfit") {
			want = append(want, i+1)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "./testdata/misfit").CombinedOutput() // -e: all errors
	if err == nil {
		t.Fatalf("%s compiles", file)
	}
	var got []int
	for _, m := range regexp.MustCompile(`(?m)^testdata[/\\]misfit[/\\]misfit\.go:(\d+):`).FindAllStringSubmatch(string(out), -1) {
		line, _ := strconv.Atoi(m[1]) // digits only
		got = append(got, line)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("lines %v do not compile, want lines %v; the compiler says\n%s", got, want, out)
	}
}
