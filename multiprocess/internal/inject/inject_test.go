package inject_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/inject"
)

func TestMain(m *testing.M) {
	if os.Getenv(inject.Variable) == "" {
		os.Exit(m.Run())
	}
	in, err := inject.FromEnvironment()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for n := range 3 {
		fmt.Println("operation", n+1)
		if _, err := in.Hook(mapped.OpRename, "archive.seg", 0); err != nil {
			fmt.Println(err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"# nothing\n\n  # at all", ""},
		{"ENOSPC on write writer-* 3", "ENOSPC on write writer-* 3\n"},
		{"\tEIO  on\t* *\r\n", "EIO on * *\n"},
		{"EMFILE on open * 1+", "EMFILE on open *\n"},
		{"EMFILE on open * 07+", "EMFILE on open * 7+\n"},
		{"short extend *", "short extend *\n"},
		{"short EIO on write a 1", "short EIO on write a 1\n"},
		{"kill before rename archive.seg # the last one", "kill before rename archive.seg\n"},
		{"EIO on stat a#b\nEIO on list .", "EIO on stat a#b\nEIO on list .\n"},
	} {
		in, err := inject.Parse(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if got := in.String(); got != c.want {
			t.Errorf("%q is\n%swant\n%s", c.text, got, c.want)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"EWHAT on write *", `line 1: a rule begins with an error, "short" or "kill before": "EWHAT" is no error; there are EACCES, `},
		{"\n\nENOSPC write *", `line 3: after ENOSPC there has to be "on"`},
		{"ENOSPC", `after ENOSPC there has to be "on"`},
		{"EIO on", `"" is no operation`},
		{"EIO on burn *", `"burn" is no operation; there are opendir, checkdir, `},
		{"EIO on write", "there is no pattern for names"},
		{"EIO on write [", `"[" is no pattern for names`},
		{"EIO on write * 0", `"0" is no count`},
		{"EIO on write * -1", `"-1" is no count`},
		{"EIO on write * +", `"+" is no count`},
		{"EIO on write * 99999999999", `"99999999999" is no count`},
		{"EIO on write * 1 2 3", `"2 3" is too much`},
		{"short rename *", "only read, write and extend can be short"},
		{"short * *", "only read, write and extend can be short"},
		{"short EWHAT on write *", `"EWHAT" is no error`},
		{"kill", `after "kill" there has to be "before"`},
		{"kill on write *", `after "kill" there has to be "before"`},
		{"EIO on write " + strings.Repeat("a", inject.MaxLine), "line 1 has 1013 bytes, and at most 1000 are read"},
		{strings.Repeat("EIO on write *\n", inject.MaxRules+1), "line 1001: there are more than 1000 rules"},
	} {
		if _, err := inject.Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: %v, want %s", c.text, err, c.want)
		}
	}
	in, _ := inject.Parse("EIO on write *")
	if err := in.Set("nonsense"); err == nil || in.String() != "EIO on write *\n" {
		t.Errorf("after an error: %q, %v", in.String(), err)
	}
}

// step is an operation and what is to come of it.
type step struct {
	op   mapped.Op
	name string
	n    int64
	want string
}

func TestRules(t *testing.T) {
	const writer = "writer-00112233445566778899aabbccddeeff.seg"
	for _, c := range []struct {
		name, rules string
		steps       []step
	}{
		{"no rules", "", []step{{mapped.OpWrite, "a", 8, "8 <nil>"}}},
		{"one of a count", "ENOSPC on write writer-* 2", []step{
			{mapped.OpWrite, writer, 8, "8 <nil>"},
			{mapped.OpRead, writer, 8, "8 <nil>"},
			{mapped.OpWrite, "archive.seg", 8, "8 <nil>"},
			{mapped.OpWrite, writer, 8, "0 ENOSPC"},
			{mapped.OpWrite, writer, 8, "8 <nil>"},
		}},
		{"from a count on", "EMFILE on open * 2+", []step{
			{mapped.OpOpen, "a", 0, "0 <nil>"}, {mapped.OpOpen, "b", 0, "0 EMFILE"}, {mapped.OpOpen, "c", 0, "0 EMFILE"},
		}},
		{"short", "short write a 1\nshort EIO on extend a", []step{
			{mapped.OpWrite, "a", 9, "4 <nil>"}, {mapped.OpWrite, "a", 9, "9 <nil>"}, {mapped.OpExtend, "a", 8192, "4096 EIO"},
		}},
		{"the directory, and any operation", "EACCES on list .\nEIO on * * 3", []step{
			{mapped.OpOpenDir, "/tmp/x", 0, "0 <nil>"}, {mapped.OpList, "/tmp/x", 0, "0 EACCES"}, {mapped.OpStat, "a", 0, "0 EIO"}, {mapped.OpStat, "a", 0, "0 <nil>"},
		}},
		{"rules of a pair share its count", "EIO on stat a 1\nEACCES on stat a 2", []step{
			{mapped.OpStat, "a", 0, "0 EIO"}, {mapped.OpStat, "a", 0, "0 EACCES"}, {mapped.OpStat, "a", 0, "0 <nil>"},
		}},
		{"the first rule decides", "EIO on stat a\nEACCES on * *", []step{
			{mapped.OpStat, "a", 0, "0 EIO"}, {mapped.OpStat, "b", 0, "0 EACCES"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := inject.Parse(c.rules)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range c.steps {
				n, err := in.Hook(s.op, s.name, s.n)
				if got := fmt.Sprint(n, " ", symbol(err)); got != s.want {
					t.Errorf("step %d, %v %s: %s, want %s", i, s.op, s.name, got, s.want)
				}
			}
			if len(in.Trace()) != len(c.steps) {
				t.Errorf("the trace is %v", in.Trace())
			}
		})
	}
}

func symbol(err error) string {
	for name, errno := range map[string]error{"ENOSPC": syscall.ENOSPC, "EMFILE": syscall.EMFILE, "EIO": syscall.EIO, "EACCES": syscall.EACCES} {
		if errors.Is(err, errno) {
			return name
		}
	}
	return fmt.Sprint(err)
}

func TestTrace(t *testing.T) {
	in, _ := inject.Parse("EIO on create * 1")
	_, _ = in.Hook(mapped.OpOpenDir, "/tmp/x", 0)
	_, _ = in.Hook(mapped.OpCreate, ".telltale-archive-00112233445566778899aabbccddeeff", 0)
	_, _ = in.Hook(mapped.OpStat, "counter_1~0123456789abcdef.db", 0)
	var got []string
	for _, o := range in.Trace() {
		got = append(got, o.Op.String()+" "+o.Pattern())
	}
	if want := []string{"opendir .", "create .telltale-archive-*", "stat counter_1~*.db"}; !slices.Equal(got, want) {
		t.Errorf("the trace is %q, want %q", got, want)
	}
	if got := fmt.Sprint(in.Fired()); got != "[create .telltale-archive-00112233445566778899aabbccddeeff (EIO on create * 1)]" {
		t.Errorf("fired: %s", got)
	}
	if err := in.Set(""); err != nil || len(in.Trace())+len(in.Fired()) != 0 {
		t.Errorf("after Set: %v %v %v", in.Trace(), in.Fired(), err)
	}
}

func TestConcurrentOperationsAreCountedOnce(t *testing.T) {
	in, _ := inject.Parse("EIO on write * 500")
	var wait sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	for range 10 {
		wait.Go(func() {
			for range 100 {
				if _, err := in.Hook(mapped.OpWrite, "a", 1); err != nil {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	if failed != 1 || len(in.Trace()) != 1000 {
		t.Errorf("%d failed of %d", failed, len(in.Trace()))
	}
}

// A process is killed before the operation, and not before those that come first.
func TestKill(t *testing.T) {
	in, err := inject.Parse("EIO on rename * 1\nkill before rename archive.seg 2")
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), in.Environment())
	out, err := child.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Errorf("it ended with %v", err)
	}
	if want := "operation 1\n" + syscall.EIO.Error() + "\noperation 2\n"; string(out) != want {
		t.Errorf("it said\n%swant\n%s", out, want)
	}
}

func TestEnvironmentWithErrors(t *testing.T) {
	t.Setenv(inject.Variable, "nonsense")
	if _, err := inject.FromEnvironment(); err == nil || !strings.Contains(err.Error(), "environment variable "+inject.Variable+": line 1:") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ENOSPC on write writer-* 3\n# comment\nkill before rename archive.seg")
	f.Add("short extend * 2+\nshort EIO on read a#b 1 # x")
	f.Add("EIO on * [a-z]*")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := inject.Parse(text)
		if err != nil {
			return
		}
		rules := in.String()
		again, err := inject.Parse(rules)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, rules, err)
		}
		if got := again.String(); got != rules {
			t.Errorf("%q became %q and then %q", text, rules, got)
		}
	})
}
