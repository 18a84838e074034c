package modeltest

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	modelFor  = flag.Duration("model.for", 0, "how long TestModel makes scripts of random seeds, and TestModelConcurrently a quarter of it; 0 for 45s, and less with -short or the race detector, of the seeds 1, 2, 3 and so on")
	modelSeed = flag.Uint64("model.seed", 0, "the only seed to make a script from; 0 for many")
)

// budget returns how long TestModel may take.
func budget() time.Duration {
	switch {
	case *modelFor > 0:
		return *modelFor
	case testing.Short():
		return 3 * time.Second
	case raceEnabled:
		return 10 * time.Second
	}
	return 45 * time.Second
}

// nextSeed returns the seed of the script number n, from 0. Without a duration they
// are the same in every run, so that a change of the tree is what makes one fail.
func nextSeed(n int) uint64 {
	if *modelFor > 0 {
		return rand.Uint64()
	}
	return uint64(n) + 1
}

// The library answers as the model does, for any operations of a program.
func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		checkSeed(t, *modelSeed)
		return
	}
	scripts := 0
	for end := time.Now().Add(budget()); time.Now().Before(end) && !t.Failed(); scripts++ {
		checkSeed(t, nextSeed(scripts))
	}
	t.Logf("%d scripts", scripts)
}

func checkSeed(t *testing.T, seed uint64) {
	t.Helper()
	g := newGenerator(seed)
	ops := g.script(20 + g.random.IntN(60))
	wrong := run(ops)
	if wrong == nil {
		return
	}
	short := shorten(ops, func(ops []op) bool {
		again := run(ops)
		return again != nil && again.kind == wrong.kind
	})
	t.Errorf("-model.seed %d: %v\n\nThis fails too:\n\n%s\nbecause of %v", seed, wrong, scriptText(short), run(short))
}

// Scripts that once failed.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ops, err := parseScript(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if again := scriptText(ops); strings.Join(strings.Fields(again), " ") != strings.Join(strings.Fields(withoutComments(string(text))), " ") {
				t.Errorf("the script is read as\n%s", again)
			}
			if slices.ContainsFunc(ops, func(o op) bool { return o.verb == "go" }) {
				if wrong := runConcurrently(ops); wrong != nil {
					t.Error(wrong)
				}
			} else if wrong := run(ops); wrong != nil {
				t.Error(wrong)
			}
		})
	}
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}
