package push_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale"
	"telltale/exposition"
	"telltale/internal/transcript"
	"telltale/push"
)

// program returns a server of Debian's. Without it a test is skipped, and fails where
// CI is set.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: apt-get install %s", name, name)
	}
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", name, name)
	}
	return path
}

// listening is what the servers print when they listen.
var listening = regexp.MustCompile(`msg="Listening on".* address=(\S+)`)

// serve starts a server on a loopback port that the system chooses, and returns its
// address once it is ready. It is gone when the test is over.
func serve(t *testing.T, name, ready string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, name), append(args, "--web.listen-address=127.0.0.1:0")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	var said transcript.Transcript
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if at := listening.FindStringSubmatch(said.String()); at != nil {
			if _, err := fetch("http://" + at[1] + ready); err == nil {
				return "http://" + at[1]
			}
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended; it said\n%s", name, said.String())
		default:
		}
	}
	t.Fatalf("%s is not ready; it said\n%s", name, said.String())
	return ""
}

func fetch(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(answer.Status))
	}
	return string(body), err
}

// A real Pushgateway shows what was pushed, under all grouping keys and in all formats.
func TestPushgateway(t *testing.T) {
	url := serve(t, "prometheus-pushgateway", "/-/ready")
	ctx := context.Background()
	for _, test := range []struct {
		job, value string
		opts       []push.Option
	}{
		{"plain", "x", nil},
		{"with/slash", "/a//b", []push.Option{push.WithGzip()}},
		{"empty value", "", []push.Option{push.WithFormat(exposition.Protobuf)}},
		{"ünicode \"quoted\"", "100%?#+&\\", []push.Option{push.WithGzip(), push.WithFormat(exposition.Protobuf)}},
		{"..", ".", nil},
	} {
		g := must(push.NewGateway(url, test.job, append(test.opts, push.WithGrouping("x", test.value))...))
		if err := g.Push(ctx, job(t)); err != nil {
			t.Fatal(err)
		}
		labels := map[string]string{"job": test.job, "instance": ""}
		if test.value != "" {
			labels["x"] = test.value
		}
		shows := func(name string, labels map[string]string) bool {
			p := exposition.NewParser(strings.NewReader(must(fetch(url+"/metrics"))), exposition.Text004)
			for {
				f, err := p.Next()
				if errors.Is(err, io.EOF) {
					return false
				}
				if err != nil {
					t.Fatal(err)
				}
				for s := range f.Samples() {
					got := s.Labels.Map()
					if s.Name == name && got["job"] == labels["job"] && got["x"] == labels["x"] {
						return true
					}
				}
			}
		}
		if !shows("rows_total", labels) {
			t.Errorf("%q, %q: what was pushed is not shown", test.job, test.value)
		}
		other := telltale.NewRegistry()
		must(telltale.NewGauge("other", "", telltale.In(other)))
		if err := g.Add(ctx, other); err != nil || !shows("rows_total", labels) || !shows("other", labels) {
			t.Errorf("%q: Add: %v", test.job, err)
		}
		if err := g.Push(ctx, other); err != nil || shows("rows_total", labels) {
			t.Errorf("%q: Push does not replace the group: %v", test.job, err)
		}
		if err := g.Delete(ctx); err != nil || shows("other", labels) {
			t.Errorf("%q: Delete: %v", test.job, err)
		}
	}
	// It refuses what clashes with another group, and says why.
	gauge, summary := telltale.NewRegistry(), telltale.NewRegistry()
	must(telltale.NewGauge("clash", "", telltale.In(gauge)))
	must(telltale.NewSummary("clash", "", telltale.In(summary)))
	first, second := must(push.NewGateway(url, "first")), must(push.NewGateway(url, "second"))
	if err := first.Push(ctx, gauge); err != nil {
		t.Fatal(err)
	}
	var refused *push.StatusError
	if err := second.Push(ctx, summary); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest || refused.Body == "" {
		t.Errorf("a clash gives %v", err)
	}
}

// node_exporter shows what is in the file.
func TestNodeExporter(t *testing.T) {
	dir := t.TempDir()
	url := serve(t, "prometheus-node-exporter", "/", "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory="+dir)
	reg := job(t)
	h := must(telltale.NewHistogramVec("latency_seconds", "", []string{"a"}, telltale.In(reg)))
	h.With("é\n\"\\").Observe(0.3)
	file := push.NewTextfile(filepath.Join(dir, "job.prom"))
	for range 2 {
		if err := file.Push(context.Background(), reg); err != nil {
			t.Fatal(err)
		}
		text := must(fetch(url + "/metrics"))
		for _, want := range []string{"\nrows_total 7\n", "\nlatency_seconds_count{a=\"é\\n\\\"\\\\\"} 1\n", "\nnode_textfile_scrape_error 0\n", "job.prom"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}
