//go:build unix

package multiprocess_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// stopped is a process that stands still.
type stopped struct {
	t   *testing.T
	cmd *exec.Cmd
}

// startStopping starts a process and waits until it has stopped itself, or has ended.
func startStopping(t *testing.T, cmd *exec.Cmd) (p stopped, stands bool) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = stopped{t, cmd}
	if status := p.waits(); !status.Stopped() {
		if status.ExitStatus() != 0 {
			t.Fatal(out.String())
		}
		return p, false
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL); _ = cmd.Wait() })
	return p, true
}

// stop has a process stand still.
func stop(t *testing.T, cmd *exec.Cmd) stopped {
	t.Helper()
	p := stopped{t, cmd}
	p.signal(syscall.SIGSTOP)
	if status := p.waits(); !status.Stopped() {
		t.Fatal("the process has ended: ", status)
	}
	return p
}

func (p stopped) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// waits waits until the process stands still or has ended.
func (p stopped) waits() (status syscall.WaitStatus) {
	p.t.Helper()
	for {
		_, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err == nil {
			return status
		}
		if !errors.Is(err, syscall.EINTR) {
			p.t.Fatal(err)
		}
	}
}

// A fold that stands still before any of its steps, and goes on or is killed later, takes
// nothing from the page and brings nothing back that was removed meanwhile.
func TestFoldStandsStill(t *testing.T) {
	for _, ends := range []string{"goes on", "is killed"} {
		for step := 0; ; step++ {
			dir := sharedDir(t)
			leaves(t, dir, "", "c", "removed", "old")
			mustFold(t, dir)
			leaves(t, dir, "", "c", "removed", "stays")
			leaves(t, dir, "", "c", "removed")
			now := spool.Now()
			alive := begin(t, dir, segment.Header{Start: now.Wall, Born: now.Monotonic, Boot: now.Boot})
			alive.family(counterOf("c")).add(`n="removed"`, 10)
			store := openStore(t, dir, multiprocess.WithoutFolding())
			reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
			c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
			c.With("removed").Inc()
			read := pageReader(t, dir)
			when := ""
			check := func(what, want string) {
				t.Helper()
				for who, page := range map[string]string{"a reader that ran": read(), "a new reader": pageReader(t, dir)(), "the process": pageLines(t, reg)} {
					if page != want {
						t.Errorf("%s %s: %s reads\n%swant\n%s", when, what, who, page, want)
					}
				}
			}
			check("before", "c_total{n=\"old\"} 1.0\nc_total{n=\"removed\"} 14.0\nc_total{n=\"stays\"} 1.0\n")
			p, stands := startStopping(t, child(t, dir, childStop+"="+strconv.Itoa(step)))
			if !stands {
				if step < 8 {
					t.Errorf("a fold has %d steps: %s", step, p.cmd.Stdout)
				}
				break
			}
			when = fmt.Sprintf("a fold that stands still before step %d and %s:", step, ends)
			c.Remove("removed")
			leaves(t, dir, "", "c", "removed", "late") // which began later
			want := "c_total{n=\"late\"} 1.0\nc_total{n=\"old\"} 1.0\nc_total{n=\"removed\"} 11.0\nc_total{n=\"stays\"} 1.0\n"
			check("while it stands still", want)
			if report, err := multiprocess.Fold(t.Context(), dir); err != nil || !report.Busy {
				t.Errorf("%s another fold has %+v, %v", when, report, err)
			}
			check("beside another fold", want)
			if ends == "goes on" {
				p.signal(syscall.SIGCONT)
			} else {
				p.signal(syscall.SIGKILL)
			}
			_ = p.cmd.Wait()
			check("then", want)
			mustFold(t, dir)
			check("after the next fold", want)
			if files := ls(t, dir, "writer-*"); len(files) != 2 {
				t.Errorf("%s left %q", when, files)
			}
			_ = store.Close()
		}
	}
}

// What a process has that stands still for longer than series last stays, as long as
// others go on with them, also once it is killed.
func TestWriterStandsStill(t *testing.T) {
	t.Parallel()
	dir := sharedDir(t)
	a, b := startTold(t, dir), startTold(t, dir)
	b.count("!x", 1)
	a.count("x", 5)
	read, want := pageReader(t, dir), 5
	check := func(when string) {
		t.Helper()
		for who, page := range map[string]string{"a reader that ran": read(), "a new reader": pageReader(t, dir)()} {
			if n := totalsOf(page, "c_total")["x"]; n != want {
				t.Fatalf("%s: %s reads %d, want %d\n%s", when, who, n, want, page)
			}
		}
	}
	check("before")
	stop(t, a.cmd)
	for end := time.Now().Add(3*time.Second + 2*idle/3); time.Now().Before(end); time.Sleep(idle / 5) {
		b.count("x", 1)
		want++
		check("while it stands still")
		mustFold(t, dir)
	}
	a.kill()
	check("once it was killed")
	foldsKilled(t, dir)
	check("once it was folded")
	b.count("x", 1)
	want++
	check("at the end")
}
