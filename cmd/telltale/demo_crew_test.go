//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// workers reads on until so many workers were said to be processes, and returns
// their ids and the directory, if that was said too.
func (s *server) workers(n int) (dir string, pids []int) {
	s.t.Helper()
	for len(pids) < n && s.lines.Scan() {
		var number, pid int
		if _, err := fmt.Sscanf(s.lines.Text(), "worker-%d is process %d", &number, &pid); err == nil {
			pids = append(pids, pid)
		}
		if _, said, found := strings.Cut(s.lines.Text(), "telltale inspect "); found {
			dir = said
		}
	}
	if len(pids) < n {
		s.t.Fatalf("%d workers were started, of %d; stderr %q", len(pids), n, s.stderr.String())
	}
	return dir, pids
}

var made = regexp.MustCompile(`(\d+) requests were made and (?:answered|(\d+) of them not answered); shop_http_requests_total says (\d+)\.`)

// TestDemoWorkers kills a worker while the page is read.
func TestDemoWorkers(t *testing.T) {
	s := start(t, "demo", "--workers", "3", "--listen", "127.0.0.1:0")
	dir, pids := s.workers(3)

	// A request that a worker has in hand when it is killed is not answered, and
	// the page is asked for one request at a time.
	fresh := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	failed := 0
	read := func() string {
		for {
			response, err := fresh.Get(s.url)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			if err == nil && response.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s", response.Status, body)
			}
			if err == nil {
				return string(body)
			}
			if failed++; failed > 1 {
				t.Fatalf("the page fails again: %v", err)
			}
		}
	}
	seen := 0
	watch := func(until int) (page string) {
		t.Helper()
		for seen < until {
			page = read()
			now := requests(t, page)
			if now < seen {
				t.Fatalf("the total fell from %d to %d", seen, now)
			}
			seen = now
		}
		return page
	}
	watch(30) // at 50 a second
	victim, err := os.FindProcess(pids[1])
	if err == nil {
		err = victim.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, again := s.workers(1); again[0] == pids[1] {
		t.Errorf("process %d was killed and is said to run", pids[1])
	}
	page := watch(seen + 50)
	const alive, dead = `telltale_writers_processes{state="alive"} 3.0`, `telltale_writers_processes{state="dead"} 1.0`
	eventually(t, func() bool {
		page = read()
		return strings.Contains(page, alive) && strings.Contains(page, dead)
	}, "%s and %s are on the page", alive, dead)
	for _, want := range []string{`shop_queue_orders{pid="worker-1"}`, `shop_queue_orders{pid="worker-2"}`, `go_goroutines{pid="worker-3"}`, "\nshop_http_requests_in_progress "} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s on the page\n%s", want, page)
		}
	}

	rest, stderr, status := s.end(os.Interrupt)
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	said := made.FindStringSubmatch(rest)
	if said == nil {
		t.Fatalf("it does not say what was counted: %q", rest)
	}
	if counted, err := strconv.Atoi(said[3]); err != nil || counted < seen {
		t.Errorf("%d were seen, %q is said", seen, said[0])
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q is left: %v", dir, err)
	}
}

func TestDemoWorkersEndByThemselves(t *testing.T) {
	stdout, stderr, status := outcome(t, "demo", "--workers", "2", "--for", "2s", "--listen", "127.0.0.1:0")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if made, counted := lastLine(t, stdout); made != counted || made == 0 {
		t.Errorf("%d made, %d counted", made, counted)
	}
}

// Workers end when their parent does, however it does, and leave nothing.
func TestDemoWorkersEndWithTheirParent(t *testing.T) {
	s := start(t, "demo", "--workers", "2", "--listen", "127.0.0.1:0")
	dir, pids := s.workers(2)
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait()
	eventually(t, func() bool {
		response, err := client.Get(s.url)
		if err != nil {
			return true
		}
		defer func() { _ = response.Body.Close() }()
		page, err := io.ReadAll(response.Body)
		return err != nil || !strings.Contains(string(page), "shop_http_requests_total") // the port may be another's
	}, "the parent of %v was killed, and they serve no longer", pids)
	eventually(t, func() bool { return !exists(t, dir) }, "the parent of %v was killed, and %s is gone", pids, dir)
}

// leftByKilled returns the directory of a demo whose processes were all killed.
func leftByKilled(t *testing.T) string {
	t.Helper()
	for range 20 { // a demo of somebody else may remove it
		s := start(t, "demo", "--workers", "2", "--listen", "127.0.0.1:0")
		left, pids := s.workers(2)
		if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil { // it would start workers again
			t.Fatal(err)
		}
		for _, pid := range append(pids, s.process.Process.Pid) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.process.Wait()
		if exists(t, left) {
			return left
		}
	}
	t.Fatal("the directories of killed demos are gone before a demo has run")
	return ""
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// A demo removes what one has left whose processes were all killed, and nothing
// of others.
func TestDemoRemovesWhatKilledOnesLeft(t *testing.T) {
	living := start(t, "demo", "--workers", "1", "--listen", "127.0.0.1:0")
	used, _ := living.workers(1)
	left := leftByKilled(t)
	mine, err := os.MkdirTemp(filepath.Dir(left), "telltale-demo-mine")
	if err != nil {
		t.Fatal(err)
	}
	file, link := left+"1", left+"2"
	t.Cleanup(func() { _ = errors.Join(os.RemoveAll(mine), os.Remove(file), os.Remove(link)) })
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(t.TempDir(), link)); err != nil {
		t.Fatal(err)
	}
	// A process that was killed holds the directory until the kernel has ended it, which
	// nobody but its parent can wait for.
	eventually(t, func() bool {
		if _, stderr, status := outcome(t, "demo", "--workers", "1", "--for", "100ms", "--listen", "127.0.0.1:0"); status != 0 || stderr != "" {
			t.Errorf("status %d, stderr %q", status, stderr)
		}
		return !exists(t, left)
	}, "a demo removes %s", left)
	for _, path := range []string{used, mine, file, link} {
		if !exists(t, path) {
			t.Errorf("%s was removed", path)
		}
	}
	if _, stderr, status := living.end(os.Interrupt); status != 0 || stderr != "" || exists(t, used) {
		t.Errorf("status %d, stderr %q, %s is left: %v", status, stderr, used, exists(t, used))
	}
}
