//go:build unix

package rules_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
	"telltale/rules"
)

// childVariable tells this binary to be a process that is killed, with the directory
// and the seed of what it does.
const childVariable = "RULES_TEST_CHILD"

// inStore returns a registry with the instruments of a program in a directory.
func inStore(dir string) (*telltale.Registry, *program, error) {
	store, err := multiprocess.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithErrorHook(func(error) {}))
	return reg, newProgram(reg, 200*time.Millisecond), nil
}

// TestBeKilled is not a test but the process that TestModelOfRulesOnStores kills.
func TestBeKilled(t *testing.T) {
	dir, seed, ok := strings.Cut(os.Getenv(childVariable), "\n")
	if !ok {
		t.Skip("it is what another test starts")
	}
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, p, err := inStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // the test has ended
	}()
	r := rand.New(rand.NewPCG(n, 6))
	for i := 0; ; i++ {
		if p.step(r); i == 50 {
			fmt.Println("ready")
		}
	}
}

// beKilled starts such a process and kills it while it works.
func beKilled(t *testing.T, dir string, seed uint64) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestBeKilled$")
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%d", childVariable, dir, seed), "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	_, err := c.StdinPipe() // which ends it if this process ends
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	_ = c.Process.Kill()
	_ = c.Wait()
}

// A page through rules is what the rules leave of the page of a store, whatever its
// processes do: live ones, and those that are killed in the midst of it.
func TestModelOfRulesOnStores(t *testing.T) {
	seeds := 4
	if testing.Short() || raceEnabled {
		seeds = 2
	}
	for n := range seeds {
		seed := cmp.Or(*modelSeed, uint64(n)+1)
		r := rand.New(rand.NewPCG(seed, 7))
		dir := t.TempDir()
		var programs []*program
		var regs []*telltale.Registry
		for range 2 {
			reg, p, err := inStore(dir)
			if err != nil {
				t.Skip(err) // the file system has no locks
			}
			programs, regs = append(programs, p), append(regs, reg)
		}
		list := chosen(r)
		views := []*rules.View{must(rules.New(regs[0], list...)), must(rules.New(regs[1], list...))}
		var script []string
		for range 40 {
			switch r.IntN(12) {
			case 0:
				list = chosen(r)
				script = append(script, fmt.Sprint("rules ", list))
				for _, v := range views {
					if err := v.Set(list...); err != nil {
						t.Fatal(err)
					}
				}
			case 1:
				script = append(script, "kill")
				beKilled(t, dir, r.Uint64())
			case 2:
				script = append(script, "fold")
				if _, err := multiprocess.Fold(context.Background(), dir); err != nil {
					t.Fatal(err)
				}
			case 3:
				script = append(script, "wait")
				time.Sleep(300 * time.Millisecond)
			default:
				for range 10 {
					script = append(script, programs[r.IntN(len(programs))].step(r))
				}
			}
			for i, v := range views {
				checkOnStore(t, regs[i], v, list, func() string { return fmt.Sprintf("-rules.seed %d, after\n%s", seed, strings.Join(script, "\n")) })
			}
		}
		if t.Failed() || *modelSeed != 0 {
			return
		}
	}
}

// checkOnStore compares a page through rules with one without. What is seen of other
// processes, and which series are idle, may change between two pages: then it looks again.
func checkOnStore(t *testing.T, reg *telltale.Registry, v *rules.View, list []rules.Rule, after func() string) {
	t.Helper()
	var got, want string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		before := samples(t, reg)
		got = sorted(read(t, samples(t, v)))
		if samples(t, reg) != before {
			continue
		}
		if want = sorted(plainly(list, read(t, before))); got == want {
			return
		}
		break
	}
	t.Fatalf("the page is\n%s\nwant\n%s\n%s", got, want, after())
}
