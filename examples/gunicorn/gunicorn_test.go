package gunicorn

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"telltale/examples/internal/program"
	"telltale/multiprocess"
)

// The limits of the test: in all but for the building of the command, for an answer, and
// for the end of a process after its signal. They end what hangs and decide nothing else.
const (
	testTime   = 5 * time.Minute
	answerTime = time.Minute
	endTime    = time.Minute
)

// TestWorkersAreServedAsOne runs the service under load, compares what its
// clients saw with the page of "telltale serve", and kills a worker.
func TestWorkersAreServedAsOne(t *testing.T) {
	python := pythonWithGunicorn(t)
	telltale := build(t)
	ctx, cancel := context.WithTimeout(context.Background(), testTime) // t's own ends before the servers are told to
	t.Cleanup(cancel)
	dir := t.TempDir()

	service := exec.CommandContext(ctx, python, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", "127.0.0.1:0", "app:app")
	service.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+dir, "PYTHONDONTWRITEBYTECODE=1")
	shop := start(t, service, "Listening at: ")
	metrics := start(t, exec.CommandContext(ctx, telltale, "serve", "--dir", dir, "--listen", "127.0.0.1:0"), "http://") + "/metrics"

	// Quiet: the page has just what was answered.
	first := load(ctx, shop, 300)
	if first.failed > 0 || len(first.by) == 0 {
		t.Fatalf("%d requests failed; these workers answered: %v", first.failed, first.by)
	}
	total := get(ctx, t, metrics).total()
	if total != first.answered {
		t.Fatalf("%d requests were answered, the page says %d", first.answered, total)
	}
	t.Logf("%d requests answered and counted, by process: %v", total, first.by)

	// A worker is killed under load, and the page is read all along.
	victim := slices.MinFunc(slices.Collect(maps.Keys(first.by)), func(a, b int) int { return first.by[b] - first.by[a] })
	second := make(chan answers, 1)
	go func() { second <- load(ctx, shop, 600) }()
	killed := false
	var all answers
	for all.by == nil {
		now := get(ctx, t, metrics).total()
		if now < total {
			t.Fatalf("the total fell from %d to %d (killed: %v)", total, now, killed)
		}
		total = now
		if !killed && total >= first.answered+50 {
			program.Kill(t, victim)
			killed = true
		}
		select {
		case all = <-second:
		case <-time.After(5 * time.Millisecond):
		}
	}
	if !killed {
		program.Kill(t, victim)
	}

	// Another took its place; what it counted is still there, what was so while
	// it lived is not.
	for up := []int{}; len(up) < 3 || slices.Contains(up, victim); {
		if up = get(ctx, t, metrics).up(); ctx.Err() != nil {
			t.Fatalf("process %d was killed, and these are said to be up: %v", victim, up)
		}
		time.Sleep(20 * time.Millisecond)
	}
	last := load(ctx, shop, 100)
	all.answered, all.failed = all.answered+last.answered, all.failed+last.failed
	if now := get(ctx, t, metrics).total(); now < total+last.answered {
		t.Errorf("the page said %d; %d more requests were answered, and now it says %d", total, last.answered, now)
	} else {
		total = now
	}
	if last.by[victim] > 0 || last.failed > 0 {
		t.Errorf("process %d was killed; of the requests after that %d failed, and these answered: %v", victim, last.failed, last.by)
	}
	// A request that the victim had in hand may have been counted and not answered.
	answered, made := first.answered+all.answered, first.answered+all.answered+all.failed
	if total < answered || total > made {
		t.Errorf("%d requests were made and %d answered, the page says %d", made, answered, total)
	}
	t.Logf("process %d was killed; %d requests made, %d answered, %d counted", victim, made, answered, total)

	out, err := exec.CommandContext(ctx, telltale, "merge", "--strict", dir).Output()
	if merged := page(out).total(); err != nil || merged != total {
		t.Errorf("telltale merge says %d, the page %d; %v", merged, total, err)
	}
	if series := strings.Count(string(out), "shop_requests_total{"); series != 4 {
		t.Errorf("paths that clients made up are series: there are %d\n%s", series, out)
	}
	program.Page(out).Check(t)
	files, _ := filepath.Glob(filepath.Join(dir, "*.db"))
	if families, err := multiprocess.Merge(files, true); err != nil || len(families) != 3 {
		t.Errorf("%d families, %v", len(families), err)
	}
}

// pythonWithGunicorn returns an interpreter that has what the example needs.
func pythonWithGunicorn(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("gunicorn does not run on Windows")
	}
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import gunicorn, prometheus_client").Run() == nil {
			return python
		}
	}
	const missing = "gunicorn with Python's client is missing: apt-get install gunicorn python3-prometheus-client"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip("NOT TESTED: " + missing)
	return ""
}

// build builds the command and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "telltale")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join("..", "..", "cmd", "telltale")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// start starts a server, waits until it says where it listens, and returns the
// URL up to its path. The server is signalled to end when the test ends.
func start(t *testing.T, cmd *exec.Cmd, marker string) string {
	t.Helper()
	says, its, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = its, its
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = its.Close()
	said := make(chan string, 1)
	var log strings.Builder // read once the pipe is at its end
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(says); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if at := strings.Index(lines.Text(), "http://"); at >= 0 && strings.Contains(lines.Text(), marker) {
				url, _, _ := strings.Cut(lines.Text()[at+len("http://"):], " ")
				host, _, _ := strings.Cut(url, "/")
				select {
				case said <- "http://" + host:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		hung := time.AfterFunc(endTime, func() { _ = cmd.Process.Kill() })
		defer hung.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", cmd, err)
		}
		_ = says.SetReadDeadline(time.Now().Add(endTime)) // workers may hold it a little longer
		<-ended
		if t.Failed() {
			t.Logf("%v said\n%s", cmd, log.String())
		}
	})
	select {
	case url := <-said:
		return url
	case <-ended:
	case <-time.After(endTime):
	}
	t.Fatalf("%v does not say where it listens", cmd)
	return ""
}

// answers is the outcome of many requests.
type answers struct {
	answered, failed int
	by               map[int]int // how many each process answered
}

// load makes n requests, some at a time, each on a connection of its own, so
// that all workers have their share.
func load(ctx context.Context, url string, n int) answers {
	client := &http.Client{Timeout: answerTime, Transport: &http.Transport{DisableKeepAlives: true}}
	a := answers{by: make(map[int]int)}
	turns := make(chan int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for i := range turns {
				body, err := read(ctx, client, url+[]string{"/", "/products", "/orders", fmt.Sprint("/", i)}[i%4])
				pid, malformed := strconv.Atoi(strings.TrimSpace(body))
				mu.Lock()
				if err != nil || malformed != nil {
					a.failed++
				} else {
					a.answered++
					a.by[pid]++
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	all.Wait()
	return a
}

func read(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// page is a page of metrics in text.
type page string

func get(ctx context.Context, t *testing.T, url string) page {
	t.Helper()
	body, err := read(ctx, http.DefaultClient, url)
	if err != nil {
		t.Fatal(err)
	}
	return page(body)
}

// total adds up the series of shop_requests_total.
func (p page) total() (sum int) {
	for line := range strings.SplitSeq(string(p), "\n") {
		if strings.HasPrefix(line, "shop_requests_total{") {
			value, _ := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			sum += int(value)
		}
	}
	return sum
}

// up returns the processes that have a series of the live gauge.
func (p page) up() (pids []int) {
	for line := range strings.SplitSeq(string(p), "\n") {
		if rest, ok := strings.CutPrefix(line, `shop_worker_up{pid="`); ok {
			pid, _, _ := strings.Cut(rest, `"`)
			n, _ := strconv.Atoi(pid)
			pids = append(pids, n)
		}
	}
	return pids
}
