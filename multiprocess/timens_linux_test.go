package multiprocess_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"telltale/multiprocess/internal/spool"
)

// Containers may have time namespaces, in which the boot's clock shows another time than
// outside. Who died before a removal, and which value was set last, is as if they had not.
func TestTimeNamespaces(t *testing.T) {
	uptime := spool.Monotonic() / 1e9
	for _, offset := range []int64{1_000_000, -uptime / 2} {
		t.Run(fmt.Sprintf("%d s", offset), func(t *testing.T) {
			dir := sharedDir(t)
			s := newScenario(t, dir, proc{})
			begin := func(name string) { beginInTimeNamespace(t, s, name, offset) }
			end := func(name string) {
				t.Helper()
				p := s.others[name]
				delete(s.others, name)
				if err := p.in.Close(); err != nil {
					t.Error(err)
				}
				_ = p.cmd.Wait() // how it ended does not matter
			}
			shows := func(when string, want ...string) {
				t.Helper()
				page, err := s.do("page")
				if err != nil {
					t.Fatal(err)
				}
				if got := page; got != strings.Join(want, "\n") {
					t.Errorf("%s the page is\n%s\nnot\n%s", when, got, strings.Join(want, "\n"))
				}
			}
			begin("p")
			s.all(`
				open p
				open q
				add p c{x} 1
				add q c{x} 2`)
			shows("at first", "c_total{n=\"x\"} 3.0")
			end("p")
			s.must("remove q c{x}")
			shows("when what the dead left was removed outside")
			s.must("add q c{x} 5")
			shows("counted again", "c_total{n=\"x\"} 5.0")
			begin("p")
			s.all(`
				open p
				add p c{x} 7
				remove p c{x}`)
			shows("removed inside", "c_total{n=\"x\"} 5.0")
			s.all(`
				add q c{x} 1
				add q c{y} 1`) // a new series: the process says that it lives
			end("q")
			shows("ended behind that removal", "c_total{n=\"x\"} 6.0", "c_total{n=\"y\"} 1.0")
			s.must("add p c{x} 7")
			s.must("remove p c{x}")
			shows("when what the dead left was removed inside", "c_total{n=\"y\"} 1.0")
			s.must("fold")
			shows("folded", "c_total{n=\"y\"} 1.0")
		})
	}
}

// beginInTimeNamespace starts a process of a scenario whose boot's clock is ahead.
func beginInTimeNamespace(t *testing.T, s *scenario, name string, ahead int64) {
	t.Helper()
	args := []string{"--time", fmt.Sprint("--monotonic=", ahead), "--fork", "--kill-child"}
	if os.Getuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	if out, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: no time namespace can be made: %v: %s", err, out)
	}
	cmd := command("perform", s.dir, s.proc.root)
	cmd.Args = append(append([]string{"unshare"}, args...), append([]string{cmd.Path}, cmd.Args[1:]...)...)
	var err error
	if cmd.Path, err = exec.LookPath("unshare"); err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.others[name] = &process{cmd, in, bufio.NewScanner(out)}
}
