//go:build unix

package exponential_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"telltale/internal/cell"
	"telltale/internal/exponential"
)

const killedEnv = "TELLTALE_TEST_OBSERVE_UNTIL_KILLED"

// ever are the observations of the process that is killed: wider and wider, so
// that generations keep coming.
func ever(yield func(float64) bool) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; ; i++ {
		v := math.Exp2((random.Float64() - 0.5) * float64(i) / 100)
		if i%3 == 0 {
			v = -v
		}
		if !yield(v) {
			return
		}
	}
}

var mapped = exponential.Options{Schema: 8, MaxBuckets: 10, MaxZeroThreshold: 0.5}

// The file has the words, from 0 on, and lanes behind them.
const (
	mappedLanes  = 4
	mappedStride = 256
	lanesFrom    = 1 << 10
	mappedWords  = lanesFrom + mappedLanes*mappedStride
)

func lanesIn(words []exponential.Word) ([]exponential.Word, int) {
	return words[lanesFrom:], mappedStride
}

func mapWords(t *testing.T, path string) []exponential.Word {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, 8*mappedWords), 0o600); err != nil {
		t.Fatal(err)
	}
	words, err := mapFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// mapFile maps a file of words until the process ends.
func mapFile(path string) ([]exponential.Word, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	memory, err := syscall.Mmap(fd, 0, 8*mappedWords, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*exponential.Word)(unsafe.Pointer(&memory[0])), mappedWords), syscall.Close(fd)
}

func TestMain(m *testing.M) {
	if path := os.Getenv(killedEnv); path != "" {
		fmt.Fprintln(os.Stderr, observeEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// observeEver returns only an error.
func observeEver(path string) error {
	words, err := mapFile(path)
	if err != nil {
		return err
	}
	var h exponential.Histogram
	if err := h.InitIn(words[:mapped.Words()], func(int) *cell.Lanes { return cell.LanesOver(lanesIn(words)) }, &mapped); err != nil {
		return err
	}
	i := 0
	for v := range ever {
		if h.Observe(v); i == 500 {
			h.Spread()
		}
		i++
	}
	return nil
}

// Wherever a process is killed, others read exactly what it had observed, but
// perhaps for the last addition to the sum.
func TestKilledWriter(t *testing.T) {
	for round := range 12 {
		path := filepath.Join(t.TempDir(), "words")
		words := mapWords(t, path)
		child := exec.Command(os.Args[0])
		child.Env, child.Stderr = append(os.Environ(), killedEnv+"="+path), os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var s exponential.Snapshot
		seen := uint64(0)
		for deadline := time.Now().Add(time.Minute); seen < uint64(1000*round) || seen == 0; {
			if err := exponential.Read(words[:mapped.Words()], func() ([]exponential.Word, int) { return lanesIn(words) }, &s); err == nil {
				seen = s.Count()
			}
			if time.Now().After(deadline) {
				t.Error("the other process does not observe")
				break
			}
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		if err := exponential.Read(words[:mapped.Words()], func() ([]exponential.Word, int) { return lanesIn(words) }, &s); err != nil {
			t.Fatal(err)
		}
		if s.Count() < seen {
			t.Errorf("%d observations, %d before", s.Count(), seen)
		}
		var values []float64
		for v := range ever {
			if values = append(values, v); len(values) == int(s.Count()) {
				break
			}
		}
		want := exactly(s.Schema, s.ZeroThreshold, values)
		if last := values[len(values)-1]; math.Abs(s.Sum+last-want.sum) <= 1e-9*math.Abs(want.sum) {
			s.Sum += last // killed before it was added
		}
		want.check(t, &s)
		t.Logf("killed after %d observations, at schema %d, zero threshold %v, generation %d", s.Count(), s.Schema, s.ZeroThreshold, words[1].Load())
	}
}
