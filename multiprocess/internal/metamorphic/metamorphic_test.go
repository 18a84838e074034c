//go:build unix

package metamorphic

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	runFor   = flag.Duration("metamorphic.for", 0, "how long scripts are made of random seeds, a quarter of it with children that are killed; 0 for 20s, 5s with -short, of the seeds 1, 2, 3 and so on")
	onlySeed = flag.Uint64("metamorphic.seed", 0, "the only seed to make a script from; 0 for many")
)

// budget returns how long scripts are made.
func budget() time.Duration {
	switch {
	case *runFor > 0:
		return *runFor
	case testing.Short():
		return 5 * time.Second
	}
	return 20 * time.Second
}

// nextSeed returns the seed of the script number n, from 0. Without a duration they
// are the same in every run, so that a change of the tree is what makes one fail.
func nextSeed(n int) uint64 {
	if *runFor > 0 {
		return rand.Uint64()
	}
	return uint64(n) + 1
}

// memory is where files are in memory, if there is such a place.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// ways are how each script is run with writers in this process.
func ways() []way {
	return []way{
		{name: "on the heap"},
		{name: "in memory, with the folds of the script", parent: memory(), open: openInner, stop: stopInner},
		{name: "in memory, without folds", parent: memory(), folds: never, open: openInner, stop: stopInner},
		{name: "on the disk, with a fold behind every death", folds: often, open: openInner, stop: stopInner},
	}
}

// killed is how a script is run with processes that are killed.
func killed() []way {
	return []way{{name: "with children that are killed", parent: memory(), open: openOuter, stop: stopOuter, outside: true}}
}

// Scripts run alike in all ways, and as the model has it.
func TestMetamorphic(t *testing.T) { runScripts(t, budget()*3/4, ways()) }

// Scripts run alike with processes that are killed.
func TestMetamorphicKilled(t *testing.T) { runScripts(t, budget()/4, killed()) }

func runScripts(t *testing.T, long time.Duration, ways []way) {
	t.Helper()
	seeds := 0
	for end := time.Now().Add(long); time.Now().Before(end) && !t.Failed(); seeds++ {
		seed := nextSeed(seeds)
		if *onlySeed != 0 {
			seed, end = *onlySeed, time.Now()
		}
		checkScript(t, seed, ways)
	}
	t.Logf("%d scripts", seeds)
}

func checkScript(t *testing.T, seed uint64, ways []way) {
	t.Helper()
	ops := newScript(seed)
	wrongs := make([]*failure, len(ways))
	var playing sync.WaitGroup
	for i, how := range ways {
		playing.Go(func() { wrongs[i] = play(t, ops, how) })
	}
	playing.Wait()
	for i, how := range ways {
		wrong := wrongs[i]
		if wrong == nil {
			continue
		}
		until := time.Now().Add(time.Minute)
		last := wrong
		short := shorten(ops, func(ops []op) bool {
			if time.Now().After(until) {
				return false
			}
			again := play(t, ops, how)
			if again == nil || again.kind != wrong.kind {
				return false
			}
			last = again
			return true
		})
		t.Errorf("-metamorphic.seed %d: %v\n\nThis fails too:\n\n%s\nbecause of %v", seed, wrong, scriptText(short), last)
		return
	}
}

// Scripts that once failed.
func TestScripts(t *testing.T) { runFiles(t, ways()) }

// The same with processes that are killed.
func TestScriptsKilled(t *testing.T) { runFiles(t, killed()) }

func runFiles(t *testing.T, ways []way) {
	t.Helper()
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
			for _, how := range ways {
				if wrong := play(t, ops, how); wrong != nil {
					t.Error(wrong)
				}
			}
		})
	}
}
