package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"telltale"
	"telltale/multiprocess"
)

// rounds returns how often a test does what it does: the value of an environment
// variable, or the usual number.
func rounds(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number of rounds", variable, text)
	}
	return n
}

// recorder is a receiver of remote write 2.0 that holds what it gets to be in order and
// without repetition, but for what is sent again because its answer was lost. Unless it
// is calm, it refuses some requests for now and loses some answers.
type recorder struct {
	t        *testing.T
	calm     atomic.Bool
	mu       sync.Mutex
	random   *rand.Rand
	series   map[string]*recorded
	faults   []string
	requests [4]int // taken, refused for now, with an answer that was lost, of a client that is gone
	samples  int
}

type recorded struct {
	at, start int64
	value     float64
	again     bool // the answer was lost
}

func newRecorder(t *testing.T) *recorder {
	seed := rand.Uint64()
	t.Logf("the recorder's seed is %d", seed)
	return &recorder{t: t, random: rand.New(rand.NewPCG(seed, 1)), series: map[string]*recorded{}}
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	packed, err := io.ReadAll(q.Body)
	time.Sleep(rand.N(20 * time.Millisecond)) // in which the sender may be killed
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || q.Context().Err() != nil {
		r.requests[3]++
		return // the sender was killed, and its successor may have sent newer values
	}
	if !r.calm.Load() && r.random.IntN(10) == 0 {
		r.requests[1]++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	lost := !r.calm.Load() && r.random.IntN(10) == 0
	var request writev2.Request
	body, err := snappy.Decode(nil, packed)
	if err = errors.Join(err, request.Unmarshal(body)); err != nil {
		r.faults = append(r.faults, err.Error())
	}
	b := labels.NewScratchBuilder(0)
	if r.overtaken(&b, &request) && gone(&r.mu, q) {
		r.requests[3]++
		return
	}
	n := 0
	for _, s := range request.Timeseries {
		series, err := s.ToLabels(&b, request.Symbols)
		if err != nil || len(s.Samples) != 1 {
			r.faults = append(r.faults, fmt.Sprintf("%v with %d samples: %v", series, len(s.Samples), err))
			continue
		}
		n++
		r.record(series, recorded{s.Samples[0].Timestamp, s.Samples[0].StartTimestamp, s.Samples[0].Value, lost})
	}
	r.samples += n
	if lost {
		r.requests[2]++
		panic(http.ErrAbortHandler)
	}
	r.requests[0]++
	for _, kind := range []string{"Samples", "Histograms", "Exemplars"} {
		w.Header().Set("X-Prometheus-Remote-Write-"+kind+"-Written", strconv.Itoa(n))
		n = 0
	}
}

// overtaken reports whether newer samples were recorded than a request has.
func (r *recorder) overtaken(b *labels.ScratchBuilder, request *writev2.Request) bool {
	return slices.ContainsFunc(request.Timeseries, func(s writev2.TimeSeries) bool {
		series, err := s.ToLabels(b, request.Symbols)
		if err != nil || len(s.Samples) != 1 {
			return false // which is told
		}
		last := r.series[series.String()]
		return last != nil && s.Samples[0].Timestamp < last.at
	})
}

// record takes a sample.
func (r *recorder) record(series labels.Labels, now recorded) {
	name := series.String()
	last := r.series[name]
	r.series[name] = &now
	if last == nil {
		return
	}
	mine := strings.HasPrefix(series.Get(labels.MetricName), "job_") || strings.HasPrefix(series.Get(labels.MetricName), "work_")
	switch {
	case now.at < last.at, now.at == last.at && (now.value != last.value || !last.again):
		r.faults = append(r.faults, fmt.Sprintf("%s: %v at %d after %v at %d", name, now.value, now.at, last.value, last.at))
	case mine && now.value < last.value:
		r.faults = append(r.faults, fmt.Sprintf("%s fell from %v to %v", name, last.value, now.value))
	case mine && (now.start == 0 || now.start != last.start):
		r.faults = append(r.faults, fmt.Sprintf("%s began at %d, and then at %d", name, last.start, now.start))
	}
}

// check fails the test if the recorder met something wrong, or has another total than
// wanted of the one series of a family.
func (r *recorder) check(name string, want float64) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fault := range r.faults[:min(len(r.faults), 10)] {
		r.t.Error(fault)
	}
	found := 0
	for series, last := range r.series {
		if strings.Contains(series, fmt.Sprintf("%s=%q", labels.MetricName, name)) {
			found++
			if last.value != want {
				r.t.Errorf("%s ends with %v, want %v", series, last.value, want)
			}
		}
	}
	if found != 1 {
		r.t.Errorf("there are %d series %s", found, name)
	}
	r.t.Logf("requests: %d taken, %d refused for now, %d with lost answers, %d of dead clients; %d samples", r.requests[0], r.requests[1], r.requests[2], r.requests[3], r.samples)
}

var leads = regexp.MustCompile(`are sent every`)

// A sender is killed again and again, at any moment, and another one follows: what is
// sent has all that was counted, each sample once, and none that is older than the one
// before. A Prometheus keeps it so.
func TestSenderKilled(t *testing.T) {
	kills := rounds(t, "TELLTALE_SENDER_KILLS", 20)
	binary, dir := buildCommand(t), t.TempDir()
	r := newRecorder(t)
	server := httptest.NewServer(r)
	defer server.Close()
	p := runPrometheus(t, requireProgram(t, "prometheus", "prometheus"), "global: {}\n")
	before := httptest.NewServer(&door{to: p.base + "/api/v1/write", newest: map[string]int64{}})
	defer before.Close()

	store, err := multiprocess.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	reg := telltale.NewRegistry(telltale.WithStore(store))
	work := telltale.Must(telltale.NewCounter("work", "Work.", telltale.In(reg)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writers sync.WaitGroup
	var counted atomic.Int64
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				work.Inc()
				counted.Add(1)
				time.Sleep(100 * time.Microsecond)
			}
		})
	}
	send := func() *process {
		return start(t, "telltale send", exec.CommandContext(t.Context(), binary, "send", "--dir", dir, "--every", "20ms", "--job", "killed",
			"--to", "remotewrite+"+server.URL, "--to", "remotewrite+"+before.URL))
	}
	leader, follower := leading(t, send(), send())
	for range kills {
		time.Sleep(rand.N(60 * time.Millisecond))
		if leads.MatchString(follower.output.String()) {
			t.Fatal("two senders lead")
		}
		_ = leader.stop(syscall.SIGKILL) // which is how it ends
		leader, follower = leading(t, follower, send())
	}
	stop()
	writers.Wait()
	r.calm.Store(true)                               // a sender has ten seconds at its end
	for _, s := range []*process{leader, follower} { // the second leads when the first has ended
		s.says(t, leads)
		if err := s.stop(syscall.SIGTERM); err != nil {
			t.Errorf("the last sender: %v\n%s", err, s.output.String())
		}
	}
	r.check("work_total", float64(counted.Load()))
	all := p.all(t, "killed")
	found := 0
	for _, s := range all {
		if s.Metric["__name__"] != "work_total" {
			continue
		}
		found++
		last := float64(-1)
		for _, v := range s.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil || value < last {
				t.Errorf("%v after %v: %v", value, last, err)
			}
			last = value
		}
		if last != float64(counted.Load()) {
			t.Errorf("Prometheus has %v of %d", last, counted.Load())
		}
		t.Logf("Prometheus has %d samples of the series", len(s.Values))
	}
	if found != 1 {
		t.Errorf("Prometheus has %d series", found)
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains %d times: %q", len(complaints), complaints[:min(len(complaints), 5)])
	}
}

// leading waits until one of two senders leads, and returns that and the other one.
func leading(t *testing.T, a, b *process) (leader, follower *process) {
	t.Helper()
	a.await(t, "or another to lead", func(context.Context) bool {
		switch {
		case leads.MatchString(a.output.String()):
			leader, follower = a, b
		case leads.MatchString(b.output.String()):
			leader, follower = b, a
		}
		return leader != nil
	})
	return leader, follower
}

// Jobs of 80 ms count in a directory, and a tenth of them is killed: the total that the
// sender beside them has sent is what they have acknowledged, exactly.
func TestShortJobs(t *testing.T) {
	jobs := rounds(t, "TELLTALE_SHORT_JOBS", 40)
	binary, dir := buildCommand(t), t.TempDir()
	job := filepath.Join(t.TempDir(), "job")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", job, "./job").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	r := newRecorder(t)
	r.calm.Store(true)
	server := httptest.NewServer(r)
	defer server.Close()
	p := runPrometheus(t, requireProgram(t, "prometheus", "prometheus"), "global: {}\n")
	sender := start(t, "telltale send", exec.CommandContext(t.Context(), binary, "send", "--dir", dir, "--every", "50ms", "--job", "short",
		"--to", "remotewrite+"+server.URL, "--to", "remotewrite+"+p.base+"/api/v1/write"))
	sender.says(t, leads)

	var acknowledged, killed atomic.Int64
	turns := make(chan int)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range turns {
				increments := 1 + rand.IntN(20)
				c := exec.CommandContext(t.Context(), job, strconv.Itoa(increments))
				if i%10 == 0 {
					c.Args = append(c.Args, strconv.Itoa(rand.IntN(increments+1)))
				}
				c.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+dir)
				out, err := c.Output()
				acknowledged.Add(int64(len(out)))
				if i%10 == 0 {
					killed.Add(1)
					if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
						t.Errorf("a job that kills itself: %v", err)
					}
				} else if err != nil || len(out) != increments {
					t.Errorf("a job: %v, %d of %d", err, len(out), increments)
				}
			}
		})
	}
	for i := range jobs {
		turns <- i
	}
	close(turns)
	all.Wait()
	if err := sender.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, sender.output.String())
	}
	want := float64(acknowledged.Load())
	t.Logf("%d jobs, %d of them killed, have acknowledged %v", jobs, killed.Load(), want)
	r.check("job_rows_total", want)
	if got, ok := p.number(t.Context(), `sum(job_rows_total{job="short"})`); !ok || got != want {
		t.Errorf("Prometheus has %v, %v; want %v", got, ok, want)
	}
	if complaints := p.complaints(); len(complaints) > 0 {
		t.Errorf("Prometheus complains: %q", complaints)
	}
}
