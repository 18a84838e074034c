//go:build unix

package multiprocess_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// limitOfProcess is the series limit of each process of TestSeriesLimitOfEachProcess.
const limitOfProcess = 5

// countLimited is a child that counts values of its own, more than there may be series
// of, pass after pass, and acknowledges each by a byte. Then it removes a series,
// counts another value, and waits to be killed.
func countLimited(args []string) error {
	dir, name := args[0], args[1]
	var values, passes int
	if _, err := fmt.Sscan(args[2]+" "+args[3], &values, &passes); err != nil {
		return err
	}
	tell := func(err error) {
		var fault *telltale.Fault
		if !errors.As(err, &fault) || fault.Reason != telltale.ReasonSeriesLimit {
			fmt.Fprintln(os.Stderr, "a child was told:", err)
		}
	}
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(tell))
	if err != nil {
		return err
	}
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithFamilySeriesLimit(limitOfProcess), telltale.WithErrorHook(tell))
	counter := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
	summary := telltale.Must(telltale.NewSummaryVec("s", "", []string{"n"}, telltale.In(reg)))
	count := func(value string) error {
		counter.With(name + value).Inc()
		summary.With(name + value).Observe(2)
		_, err := os.Stdout.Write([]byte{'.'})
		return err
	}
	for range passes {
		for i := range values {
			if err := count(strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	counter.Remove(name + "0")
	summary.Remove(name + "0")
	if err := count("new"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// limited is a process that does countLimited.
type limited struct {
	cmd  *exec.Cmd
	acks *bufio.Reader
}

func startLimited(t *testing.T, dir, name string, values, passes int) *limited {
	t.Helper()
	cmd := command("limited", dir, name, strconv.Itoa(values), strconv.Itoa(passes))
	_, err := cmd.StdinPipe() // which ends with this process
	if err != nil {
		t.Fatal(err)
	}
	acks, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &limited{cmd, bufio.NewReader(acks)}
}

// until waits for n acknowledgements.
func (l *limited) until(t *testing.T, n int) {
	t.Helper()
	if _, err := io.CopyN(io.Discard, l.acks, int64(n)); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process with SIGKILL and returns how many acknowledgements are left.
func (l *limited) kill(t *testing.T) int {
	t.Helper()
	if err := l.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	left, err := io.Copy(io.Discard, l.acks)
	if err != nil {
		t.Error(err)
	}
	_ = l.cmd.Wait() // it was killed
	return int(left)
}

// Each process has the series limit for itself, exactly. What is over it counts in one
// series of overflow for all of them, and nothing is lost when they are killed.
func TestSeriesLimitOfEachProcess(t *testing.T) {
	const values, passes = 20, 3
	dir := sharedDir(t)
	var all []*limited
	want := make(map[string]float64)
	for _, name := range []string{"a", "b"} {
		all = append(all, startLimited(t, dir, name, values, passes))
		for i := 1; i < limitOfProcess; i++ { // without the one that is removed
			want[fmt.Sprint(name, i)] = passes
		}
		want[name+"new"] = 1
		want["overflow"] += (values - limitOfProcess) * passes
	}
	for _, l := range all {
		l.until(t, values*passes+1)
	}
	read := pageReader(t, dir)
	check := func(when string, killed bounds) {
		t.Helper()
		page := read()
		for _, family := range []struct {
			name string
			each float64
		}{{"c_total", 1}, {"s_count", 1}, {"s_sum", 2}} {
			series, of, sum := 0, 0, 0.0
			for line := range strings.Lines(page) {
				label, number, _ := strings.Cut(strings.TrimPrefix(line, family.name+`{n="`), `"} `)
				if !strings.HasPrefix(line, family.name+"{") {
					continue
				}
				v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
				if err != nil {
					t.Fatal(err)
				}
				series, v = series+1, v/family.each
				switch wanted, there := want[label]; {
				case strings.HasPrefix(label, "killed"):
					of++
					sum += v
				case label == "overflow":
					sum += v - wanted
				case !there || v != wanted:
					t.Errorf("%s, %s of %q is %v, want %v", when, family.name, label, v, wanted)
				}
			}
			if series != len(want)+of || of > limitOfProcess || killed.most > limitOfProcess && of != limitOfProcess {
				t.Errorf("%s, there are %d series of %s, %d of them of the process that was killed:\n%s", when, series, family.name, of, page)
			}
			if sum < killed.least || sum > killed.most {
				t.Errorf("%s, %s has %v of the process that was killed, want %v", when, family.name, sum, killed)
			}
		}
	}
	check("while both live", bounds{})
	third := startLimited(t, dir, "killed", 1000, 1<<20)
	third.until(t, 50)
	n := float64(50 + third.kill(t))
	killed := bounds{n, n + 1} // it was killed after an acknowledgement, or before it
	check("after one was killed", killed)
	for _, l := range all {
		if left := l.kill(t); left != 0 {
			t.Errorf("a process counted %d times more", left)
		}
	}
	check("after all were killed", killed)
	mustFold(t, dir)
	check("after a fold", killed)
	again := startLimited(t, dir, "a", values, 1) // which has room, whatever others have left
	again.until(t, values+1)
	for i := 1; i < limitOfProcess; i++ {
		want[fmt.Sprint("a", i)]++
	}
	want["anew"]++
	want["overflow"] += values - limitOfProcess
	check("beside another process", killed)
	again.kill(t)
	check("after that one was killed", killed)
}
