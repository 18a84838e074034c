package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"time"
)

// sample is one measurement: of one row, one peer, one round.
type sample struct {
	Value  float64 `json:"value"`        // in the row's unit
	Allocs float64 `json:"allocs_perop"` // heap objects allocated by one operation or scrape
	Bytes  float64 `json:"bytes_perop"`  // heap bytes allocated by one operation or scrape
	// Share is the share of the requested processor time that an operation got:
	// with less, goroutines that should contend took turns. 0 if it was not
	// measured.
	Share float64 `json:"share,omitempty"`
}

// stand is what a stopwatch measures: a peer's subject, ready.
type stand struct {
	task    task
	subject *subject
	live    sample // live heap that setting the subject up added, whole
	budget  time.Duration
	scraped bool                     // by any row of the stage; a first scrape may sort or fill pools
	renew   func() (*subject, error) // sets up another subject for the same task
}

// stopwatch takes a measurement, or returns errNotOffered if the subject lacks
// the function.
type stopwatch func(s *stand) (sample, error)

// alone measures an operation on one goroutine, per operation.
func alone(s *stand) (sample, error) {
	if s.subject.repeat == nil {
		return sample{}, errNotOffered
	}
	work := func(n int) (share float64, err error) { return 0, s.subject.repeat(0, n) }
	if err := s.acquaint(work, s.budget/20); err != nil {
		return sample{}, err
	}
	return timed(s.budget, work)
}

// contended measures an operation on contenders goroutines at once: elapsed
// time over the operations of all of them.
func contended(s *stand) (sample, error) {
	if s.subject.repeat == nil {
		return sample{}, errNotOffered
	}
	workers := contenders()
	work := func(n int) (share float64, err error) { return crowd(s.subject, workers, n) }
	// A scrape gets a processor only when the scheduler takes one from a worker.
	if err := s.acquaint(work, s.budget/3); err != nil {
		return sample{}, err
	}
	taken, err := timed(s.budget, work)
	return taken.per(workers), err
}

// bouts is how often an operation is repeated and scraped before it is measured.
const bouts = 3

// acquaint repeats an operation in bouts of at least the given time and scrapes
// in the middle of each, as programs are scraped while they work: a library may
// adapt to what it has seen.
func (s *stand) acquaint(work loop, bout time.Duration) error {
	n := 1000
	for range bouts {
		took := time.Duration(0)
		for ; took < bout; n *= 2 {
			start := time.Now()
			if _, err := work(n); err != nil {
				return err
			}
			took = time.Since(start)
		}
		n /= 2
		if s.subject.text == nil {
			continue
		}
		scraped := make(chan error, 1)
		time.AfterFunc(took/2, func() { scraped <- s.subject.text(io.Discard) })
		_, err := work(n)
		if err = errors.Join(err, <-scraped); err != nil {
			return err
		}
	}
	return nil
}

// crowd makes workers repeat an operation n times each, each bound to a thread
// and a processor, since on one processor they would take turns. It returns the
// least share of its processor that a worker had.
func crowd(subject *subject, workers, n int) (share float64, err error) {
	times, errs := make([]time.Duration, workers), make([]error, workers)
	var ready, running sync.WaitGroup
	ready.Add(workers)
	start := time.Now()
	for worker := range workers {
		running.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			defer bind(worker)()
			ready.Done()
			ready.Wait() // moving to a processor can take longer than a small loop
			before := threadTime()
			errs[worker] = subject.repeat(worker, n)
			times[worker] = threadTime() - before
		})
	}
	running.Wait()
	return float64(slices.Min(times)) / float64(time.Since(start)), errors.Join(errs...)
}

// contenders is how many goroutines contend: one a processor, at least two.
func contenders() int { return max(2, runtime.GOMAXPROCS(0)) }

// fresh measures operations that use their subject up, each time on a new one.
func fresh(s *stand) (sample, error) {
	if s.subject.repeat == nil {
		return sample{}, errNotOffered
	}
	n := s.task.total()
	var total sample
	for batches := 1; ; batches++ {
		another, err := s.renew()
		if err != nil {
			return sample{}, err
		}
		settle()
		taken, err := once(func() (float64, error) { return 0, another.repeat(0, n) })
		if err = errors.Join(err, another.release()); err != nil {
			return sample{}, err
		}
		total.Value += taken.Value
		total.Allocs += taken.Allocs
		total.Bytes += taken.Bytes
		if total.Value >= float64(s.budget) {
			return total.per(batches * n), nil
		}
	}
}

// scrape is a way to scrape a subject in memory, nil if there is none.
type scrape func(s *stand) func(io.Writer) error

func asText(s *stand) func(io.Writer) error        { return s.subject.text }
func asOpenMetrics(s *stand) func(io.Writer) error { return s.subject.openMetrics }
func asProtobuf(s *stand) func(io.Writer) error    { return s.subject.protobuf }

// steady times a scrape, after one that does not count if there was none.
func (s *stand) steady(once func() error) (sample, error) {
	if !s.scraped {
		s.scraped = true
		if err := once(); err != nil {
			return sample{}, err
		}
	}
	return timed(s.budget, repeated(once))
}

// perSeries measures a scrape in memory, the time per series.
func perSeries(way scrape) stopwatch {
	return func(s *stand) (sample, error) {
		write := way(s)
		if write == nil {
			return sample{}, errNotOffered
		}
		taken, err := s.steady(func() error { return write(io.Discard) })
		taken.Value /= float64(s.task.total())
		return taken, err
	}
}

// sendingGrowth measures by how many bytes the heap grows at most while everything is
// sent, once it was sent before.
func sendingGrowth(s *stand) (sample, error) {
	if s.subject.resend == nil {
		return sample{}, errNotOffered
	}
	for range 2 {
		if err := s.subject.resend(); err != nil {
			return sample{}, err
		}
	}
	s.scraped = true
	return growthDuring(s.subject.resend)
}

// parse is a way to parse a page, nil if there is none.
type parse func(s *stand) func() (series int, err error)

func wholeFamilies(s *stand) func() (int, error) { return s.subject.families }
func oneByOne(s *stand) func() (int, error)      { return s.subject.series }

// parsing measures how a page is parsed, the time per series, which in text is a
// line.
func parsing(way parse) stopwatch {
	return func(s *stand) (sample, error) {
		read := way(s)
		if read == nil {
			return sample{}, errNotOffered
		}
		taken, err := s.steady(func() error {
			series, err := read()
			if err == nil && series != s.task.total() {
				err = fmt.Errorf("%d series parsed of %d", series, s.task.total())
			}
			return err
		})
		taken.Value /= float64(s.task.total())
		return taken, err
	}
}

// oneFamily measures the scrape of one family of all, the time per scrape.
func oneFamily(s *stand) (sample, error) {
	if s.subject.oneName == nil {
		return sample{}, errNotOffered
	}
	name := counterName(s.task.families / 2)
	return s.steady(func() error { return s.subject.oneName(io.Discard, name) })
}

// overHTTP measures a scrape on loopback, the time per series; the client reads
// the body and leaves it compressed.
func overHTTP(encoding string) stopwatch {
	return func(s *stand) (sample, error) {
		if s.subject.handler == nil {
			return sample{}, errNotOffered
		}
		server := httptest.NewServer(s.subject.handler)
		defer server.Close()
		client := server.Client()
		client.Transport = &http.Transport{DisableCompression: true}
		defer client.CloseIdleConnections()
		body := make([]byte, 64<<10)
		taken, err := s.steady(func() error { return fetch(client, server.URL, encoding, body) })
		taken.Value /= float64(s.task.total())
		return taken, err
	}
}

// fetch scrapes once, reading the answer through body.
func fetch(client *http.Client, url, encoding string, body []byte) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("Accept-Encoding", encoding)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	// Only the reader's own buffer, so that the client costs all peers alike.
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{response.Body}, body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("scrape answered %s", response.Status)
	}
	if got := response.Header.Get("Content-Encoding"); encoding != "identity" && got != encoding {
		return errNotOffered
	}
	return nil
}

// liveHeap measures the live heap per series: bytes, and objects as allocations.
func liveHeap(s *stand) (sample, error) {
	return s.live.per(s.task.total()), nil
}

// heapGrowth measures by how many bytes the heap grows at most during a scrape
// in memory. It may be the first scrape of all, the one that grows most.
func heapGrowth(way scrape) stopwatch {
	return func(s *stand) (sample, error) {
		write := way(s)
		if write == nil {
			return sample{}, errNotOffered
		}
		s.scraped = true
		return growthDuring(func() error { return write(io.Discard) })
	}
}

// growthDuring returns the largest growth of the heap during a call, in bytes,
// sampled every millisecond.
func growthDuring(call func() error) (sample, error) {
	settle()
	before := liveBytes()
	done, peaked := make(chan struct{}), make(chan uint64)
	go func() {
		peak := before
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				peak = max(peak, liveBytes())
			case <-done:
				peaked <- max(peak, liveBytes())
				return
			}
		}
	}()
	taken, err := once(func() (float64, error) { return 0, call() })
	close(done)
	taken.Value = float64(<-peaked - before)
	return taken, err
}

// liveBytes is the heap in use by objects, dead ones not yet swept included.
func liveBytes() uint64 {
	read := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(read)
	return read[0].Value.Uint64()
}

// settle collects the heap twice, which empties pools and runs finalizers.
func settle() {
	runtime.GC()
	runtime.GC()
}

// loop does an operation n times and returns the share of the processors that it
// had, 0 if that is not known.
type loop func(n int) (share float64, err error)

// repeated turns a single operation into a loop of it.
func repeated(op func() error) loop {
	return func(n int) (float64, error) {
		for range n {
			if err := op(); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
}

const (
	runsWanted = 50  // a measurement is cut into this many runs, shorter than a scheduler's turn
	fewestRuns = 5   // that a median is taken of
	fullShare  = 0.8 // of the processors; runs that had less are taken if there are no better
)

// timed returns the time and the allocations of one repetition. It determines
// how many repetitions make a run, and takes the median of runs that had the
// processors to themselves, so that losing them to other programs spoils single
// runs only. Work that takes half the budget is done once.
func timed(budget time.Duration, work loop) (sample, error) {
	settle()
	run := float64(budget) / runsWanted
	for n := 1; ; {
		taken, err := once(func() (float64, error) { return work(n) })
		if err != nil {
			return sample{}, err
		}
		if taken.busy() >= float64(budget)/2 {
			return taken.per(n), nil
		}
		// Aim at a run, but grow step by step: short runs tell little.
		wanted := float64(n) * run / max(taken.busy(), 1)
		if taken.busy() >= run/4 {
			return medianRun(budget, int(wanted)+1, work)
		}
		n = int(min(wanted, float64(n)*100)) + 1
	}
}

// busy returns the time spent without waiting for a processor, as far as that is
// known.
func (s sample) busy() float64 {
	if s.Share == 0 {
		return s.Value
	}
	return s.Value * s.Share
}

// medianRun measures runs of n repetitions until the budget is used and enough
// of them were good, or three times the budget is.
func medianRun(budget time.Duration, n int, work loop) (sample, error) {
	var taken []sample
	good := 0
	for total := 0.0; total < float64(budget) || good < fewestRuns && total < 3*float64(budget); {
		one, err := once(func() (float64, error) { return work(n) })
		if err != nil {
			return sample{}, err
		}
		taken = append(taken, one)
		total += one.Value
		if one.Share == 0 || one.Share >= fullShare {
			good++
		}
	}
	slices.SortFunc(taken, func(a, b sample) int { return cmp.Compare(b.Share, a.Share) })
	taken = taken[:min(len(taken), max(good, fewestRuns))]
	slices.SortFunc(taken, func(a, b sample) int { return cmp.Compare(a.Value, b.Value) })
	return taken[len(taken)/2].per(n), nil
}

// once times a single call, in nanoseconds.
func once(call func() (share float64, err error)) (sample, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	share, err := call()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	return sample{
		Value:  float64(elapsed),
		Allocs: float64(after.Mallocs - before.Mallocs),
		Bytes:  float64(after.TotalAlloc - before.TotalAlloc),
		Share:  share,
	}, err
}

// per divides a sample of n operations.
func (s sample) per(n int) sample {
	s.Value /= float64(n)
	s.Allocs /= float64(n)
	s.Bytes /= float64(n)
	return s
}
