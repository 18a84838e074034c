package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/internal/transcript"
)

// program is the built command.
var program string

func TestMain(m *testing.M) {
	if at := os.Getenv(targetVariable); at != "" {
		runTarget(at)
	}
	dir, err := os.MkdirTemp("", "telltale")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "telltale.exe") // a name that runs everywhere
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// patience bounds waits for what is certain to come. It ends tests that hang and decides
// nothing else.
const patience = 5 * time.Minute

// command returns the program, to be killed if a test hangs.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, program, args...)
	c.Env = append(os.Environ(), "GITHUB_ACTIONS=") // where these tests may run
	return c
}

// outcome runs the program to its end.
func outcome(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	c := command(t, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// server is a verb that runs until it is signalled to end.
type server struct {
	t       *testing.T
	process *exec.Cmd
	lines   *bufio.Scanner
	stderr  transcript.Transcript
	url     string
}

// eventually waits until a condition holds, which is certain to come.
func eventually(t *testing.T, holds func() bool, what string, args ...any) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not come to this: "+what, args...)
		}
	}
}

// start runs a verb that serves metrics and waits for their URL.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, process: command(t, args...)}
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.process.Stderr = &s.stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(stdout)
	for s.url == "" && s.lines.Scan() {
		if line := strings.TrimSpace(s.lines.Text()); strings.HasPrefix(line, "http://127.0.0.1:") && strings.HasSuffix(line, "/metrics") {
			s.url = line
		}
	}
	if s.url == "" {
		_ = s.process.Wait()
		t.Fatalf("no URL in what it says; stderr %q", s.stderr.String())
	}
	return s
}

// end sends the signal and returns what the verb said since the URL, all that it
// said on stderr, and its exit status.
func (s *server) end(signal os.Signal) (stdout, stderr string, status int) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	var rest strings.Builder
	for s.lines.Scan() {
		rest.WriteString(s.lines.Text() + "\n")
	}
	_ = s.process.Wait()
	return rest.String(), s.stderr.String(), s.process.ProcessState.ExitCode()
}

func needInterrupts(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send an interrupt to one process")
	}
}

// lastLine returns what the demo says at its end.
func lastLine(t *testing.T, stdout string) (made, counted int) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	last := lines[len(lines)-1]
	if _, err := fmt.Sscanf(last, "%d requests were made and answered; shop_http_requests_total says %d.", &made, &counted); err != nil {
		t.Fatalf("the last line is %q: %v", last, err)
	}
	return made, counted
}

var client = &http.Client{Timeout: patience}

func scrape(t *testing.T, url, accept string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %s: %s", err, response.Status, page)
	}
	return string(page)
}

// requests adds up the series of shop_http_requests_total.
func requests(t *testing.T, page string) (sum int) {
	t.Helper()
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "shop_http_requests_total{") {
			value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += int(value)
		}
	}
	return sum
}

func TestDemo(t *testing.T) {
	needInterrupts(t)
	s := start(t, "demo", "--listen", "127.0.0.1:0")
	url := s.url

	seen := 0
	for seen < 20 { // at 50 a second
		next := requests(t, scrape(t, url, "text/plain"))
		if next < seen {
			t.Fatalf("the counter fell from %d to %d", seen, next)
		}
		seen = next
	}
	page := scrape(t, url, "application/openmetrics-text")
	for _, want := range []string{
		`# {trace_id="`, "# TYPE shop_http_requests counter", "# TYPE shop_http_request_duration_seconds histogram",
		"# TYPE shop_order_value_euros summary", "# TYPE shop_http_requests_in_progress gauge", "# TYPE shop info",
		"# TYPE shop_state stateset", "\nshop_queue_orders ", "\nshop_running_seconds_total ", "\ngo_goroutines ", "\ntelltale_scrapes_total ", "# EOF\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page\n%s", want, page)
		}
	}
	if page := scrape(t, url+"?name[]=shop_queue_orders", "text/plain"); strings.Count(page, "# TYPE") != 1 {
		t.Errorf("one name gave %q", page)
	}

	for _, verb := range []string{"check", "lint"} {
		for _, format := range []string{"text", "openmetrics", "protobuf"} {
			if stdout, stderr, status := outcome(t, verb, "--format", format, url); status != 0 || stderr != "" {
				t.Errorf("%s of %s: status %d, stdout %q, stderr %q", verb, format, status, stdout, stderr)
			}
		}
	}

	rest, stderr, status := s.end(os.Interrupt)
	if status != 0 {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if made, counted := lastLine(t, rest); made != counted || made < seen {
		t.Errorf("%d made, %d counted, %d seen before", made, counted, seen)
	}
}

func TestDemoEndsByItself(t *testing.T) {
	stdout, stderr, status := outcome(t, "demo", "--for", "300ms", "--listen", "127.0.0.1:0")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if made, counted := lastLine(t, stdout); made != counted {
		t.Errorf("%d made, %d counted", made, counted)
	}
}

func TestDemoOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	stdout, stderr, status := outcome(t, "demo", "--listen", l.Addr().String())
	if status != 1 || stdout != "" || !strings.Contains(stderr, "cannot serve the metrics") || !strings.Contains(stderr, l.Addr().String()) {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		stderr string
	}{
		{"", 2, "Usage: telltale <command>\n"},
		{"dance", 2, "telltale: there is no verb dance\nSee \"telltale --help\".\n"},
		{"demo --loud", 2, "telltale: unknown flag --loud\n"},
		{"demo now", 2, "telltale: unexpected argument now\n"},
		{"demo --for soon", 2, "telltale: --for: \"soon\" is not a duration; it should look like 10m or 1h30m\n"},
		{"demo --for=-1s", 2, "telltale: --for: -1s is negative; it should be 0 or more, such as 10m or 1h30m\n"},
		{"demo --workers -1", 2, "telltale: --workers: \"-1\" is not a number from 0 to 64\nSee \"telltale demo --help\".\n"},
		{"demo --workers=65", 2, "telltale: --workers: \"65\" is not a number from 0 to 64\n"},
		{"demo --listen 127.0.0.1:65536", 2, "telltale: --listen: address 127.0.0.1:65536: \"65536\" is not a port from 0 to 65535; it should look like"},
		{"demo --listen nowhere", 2, "telltale: --listen: address nowhere: missing port"},
		{"serve", 2, "telltale: serve: there are no metrics: give --dir, --scrape or --targets\n"},
		{"serve --sum --dir .", 2, "telltale: serve: --sum is for --scrape and --targets\n"},
		{"serve --scrape-config x --dir .", 2, "telltale: serve: --scrape-config is for --scrape and --targets\n"},
		{"serve --scrape http://h --gauge x=sum", 2, "telltale: serve: --gauge is for --sum\n"},
		{"serve --scrape http://h --sum --gauge x=avg", 2, "telltale: --gauge: there is no mode \"avg\"; use sum, max, min or each\n"},
		{"serve --scrape http://h --sum --gauge x", 2, "telltale: --gauge: \"x\" should look like queue_.*=sum\n"},
		{"serve --scrape http://h --sum --gauge (=sum", 2, "telltale: --gauge: \"(\" is no regular expression"},
		{"serve --scrape localhost:9100", 2, "telltale: --scrape: it should look like http://127.0.0.1:9100/metrics or unix:"},
		{"serve --scrape ftp://u:secret@h", 2, "telltale: --scrape: the scheme is \"ftp\"; it should be http or https\n"},
		{"serve --scrape http://u:secret@[::1", 2, "telltale: --scrape: the URL cannot be read\n"},
		{"serve --scrape unix:", 2, "telltale: --scrape: unix: has no path behind it\n"},
		{"serve --dir . --listen unix:", 2, "telltale: --listen: unix: has no path behind it"},
		{"serve --dir . --socket-mode 999", 2, "telltale: --socket-mode: \"999\" is not an octal number from 0 to 0777; it should look like 0660\n"},
		{"serve --dir . --listen nowhere", 2, "telltale: --listen: address nowhere: missing port"},
		{"serve --dir . more", 2, "telltale: unexpected argument more\n"},
		{"merge", 2, "telltale: merge needs <path> ...: Directories that workers write to"},
		{"chekc x", 2, "telltale: there is no verb chekc, did you mean \"check\"?\n"},
		{"help dance", 2, "telltale: there is no verb \"dance\"\nSee \"telltale --help\".\n"},
		{"man dance", 2, "telltale: there is no verb \"dance\"\n"},
		{"watch", 2, "telltale: watch needs <target> ...: URLs of pages"},
		{"completion", 2, "telltale: completion needs <shell>: bash, zsh or fish.\n"},
		{"serve --dir . --live-host x", 2, "telltale: serve: --live-host is for --live\n"},
		{"merge --to auto .", 2, "telltale: --to: there is no format \"auto\" to write; use json, text, text1, openmetrics, openmetrics2 or protobuf\n"},
		{"serve --dir . --dead-after -1s", 2, "telltale: --dead-after: -1s is negative; it should be 0 or more"},
		{"serve --dir . --dead-after=-1s", 2, "telltale: --dead-after: -1s is negative"},
		{"serve --dir . --timeout=-1s", 2, "telltale: --timeout: -1s is negative"},
		{"serve --dir . --max-in-flight=-1", 2, "telltale: --max-in-flight: \"-1\" is not a number from 0, which is for no limit, to " + strconv.Itoa(math.MaxInt) + "\n"},
		{"serve --dir . --max-per-peer some", 2, "telltale: --max-per-peer: \"some\" is not a number from 0, which is for no limit, to "},
		{"serve --dir . --max-connections 99999999999999999999", 2, "telltale: --max-connections: \"99999999999999999999\" is not a number from 0, "},
		{"serve --dir=", 2, "telltale: --dir: the name of a file or a directory is empty"},
		{"fold", 2, "telltale: fold needs <dir>: The directory that the writers write to.\n"},
		{"fold a b", 2, "telltale: unexpected argument b\n"},
		{"fold --dead-after=-1s .", 2, "telltale: --dead-after: -1s is negative"},
		{"fold --dead-after=soon .", 2, "telltale: --dead-after: \"soon\" is not a duration; it should look like 10m or 1h30m\n"},
		{"fold --epoch " + strings.Repeat("e", 64) + " .", 2, "telltale: fold: --epoch: it has 64 bytes; an epoch has at most 63\n"},
		{"merge --to", 2, "telltale: --to needs a value, FORMAT\n"},
		{"check --ca --json x", 2, "telltale: --ca needs a value, FILE; if it is \"--json\": --ca=--json\n"},
		{"catalogue --check= x", 2, "telltale: --check: the name of a file or a directory is empty\n"},
		{"send --dir . --to textfile+x --instance=", 2, "telltale: --instance: it is empty\n"},
		{"send --dir . --to textfile+x --every 0", 2, "telltale: send: --every: 0s is too short; it should look like 15s or 1m\n"},
		{"check --format xml x", 2, "telltale: --format: there is no format \"xml\" to read; use auto, json, text, "},
		{"check --max-size 0 x", 2, "telltale: --max-size: \"0\" is not a size from 1 byte to 1024GiB; it should look like 64MiB or 1000000\n"},
		{"check --max-size 9999999GiB x", 2, "telltale: --max-size: "},
		{"check --key k x", 2, "telltale: check: --key is for --cert\n"},
		{"diff --key k x y", 2, "telltale: diff: --key is for --cert\n"},
		{"watch --key k x", 2, "telltale: watch: --key is for --cert\n"},
		{"check --timeout soon x", 2, "telltale: --timeout: \"soon\" is not a duration"},
		{"lint --disable none x", 2, "telltale: --disable: there is no rule \"none\"; --rules lists them\n"},
		{"lint --disable help: x", 2, "telltale: --disable: \"help:\" names no metric after the colon\n"},
		{"convert x", 2, "telltale: missing flags: --to=FORMAT\n"},
		{"convert --to auto x", 2, "telltale: --to: there is no format \"auto\" to write; use json, text, "},
		{"convert --from x --to text x", 2, "telltale: --from: there is no format \"x\" to read; use auto, json, text, "},
		{"check --help", 0, ""},
		{"lint --help", 0, ""},
		{"convert --help", 0, ""},
		{"catalogue --help", 0, ""},
		{"--help", 0, ""},
		{"demo --help", 0, ""},
		{"serve --help", 0, ""},
		{"merge --help", 0, ""},
		{"fold --help", 0, ""},
		{"inspect --help", 0, ""},
		{"inspect", 2, "telltale: inspect needs <dir>: The directory that the writers write to.\n"},
	} {
		stdout, stderr, status := outcome(t, strings.Fields(test.args)...)
		if status != test.status || !strings.HasPrefix(stderr, test.stderr) {
			t.Errorf("%q: status %d, want %d; stderr %q, want %q", test.args, status, test.status, stderr, test.stderr)
		}
		if strings.Contains(stderr, "secret") {
			t.Errorf("%q tells a password: %q", test.args, stderr)
		}
		if help := strings.HasPrefix(stdout, "Usage: telltale"); help != (status == 0) {
			t.Errorf("%q: stdout %q", test.args, stdout)
		}
	}
}

// A flag without its value, or with one that looks like a flag, is told by its name and
// what it takes, for all flags of all verbs.
func TestFlagsWithoutValues(t *testing.T) {
	flags := 0
	for _, verb := range newParser().Model.Leaves(true) {
		for _, flag := range verb.Flags {
			if flag.IsBool() || flag.Name == "help" {
				continue
			}
			flags++
			want := "telltale: --" + flag.Name
			if _, stderr, status := outcome(t, verb.Name, "--"+flag.Name); status != 2 || !strings.HasPrefix(stderr, want+" needs a value, "+flag.PlaceHolder+"\n") {
				t.Errorf("%s --%s: status %d, %q", verb.Name, flag.Name, status, stderr)
			}
			if _, stderr, status := outcome(t, verb.Name, "--"+flag.Name, "-1"); status != 2 || !strings.HasPrefix(stderr, want) || strings.Contains(stderr, "perhaps") {
				t.Errorf("%s --%s -1: status %d, %q", verb.Name, flag.Name, status, stderr)
			}
		}
	}
	if flags < 50 {
		t.Errorf("there are %d flags with values", flags)
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:1": "127.0.0.1:1", "0.0.0.0:2": "localhost:2", "[::]:3": "localhost:3"} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(tcp); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
