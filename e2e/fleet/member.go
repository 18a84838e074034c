package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"telltale"
	"telltale/push/remotewrite"
)

// member is a sender, which is restarted under the same labels.
type member struct {
	fleet    *fleet
	instance string
	counted  float64 // by all its senders so far
	killed   bool    // whether one of them was killed
	dropped  float64 // samples, by senders that have ended
	refused  float64

	mu      sync.Mutex // count beside restarts
	series  []*telltale.Counter
	sender  *remotewrite.Sender
	stop    context.CancelFunc
	stopped chan error
	wire    *mortal
}

func newMember(f *fleet, i int) *member {
	return &member{fleet: f, instance: fmt.Sprintf("member-%d", i)}
}

// start starts a sender with counters at 0.
func (m *member) start() error {
	reg := telltale.NewRegistry()
	vec, err := telltale.NewCounterVec("work", "What is done.", []string{"kind"}, telltale.In(reg))
	if err != nil {
		return err
	}
	var series []*telltale.Counter
	for i := range m.fleet.series {
		series = append(series, vec.With(fmt.Sprintf("kind-%d", i)))
	}
	wire := &mortal{}
	sender, err := remotewrite.NewSender(reg, m.fleet.receiver.url(),
		remotewrite.WithLabels(map[string]string{"job": "fleet", "instance": m.instance}),
		remotewrite.WithInterval(m.fleet.interval), remotewrite.WithShards(1), remotewrite.WithQueueBytes(m.fleet.queueBytes),
		remotewrite.WithRetry(min(500*time.Millisecond, m.fleet.longestRetry), m.fleet.longestRetry),
		remotewrite.WithFlushTimeout(5*time.Minute), remotewrite.WithClient(&http.Client{Transport: wire}),
		remotewrite.WithErrorHook(func(error) {})) // the health has them
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- sender.Run(ctx) }()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.series, m.sender, m.stop, m.stopped, m.wire = series, sender, stop, stopped, wire
	return nil
}

// count counts in a series.
func (m *member) count(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.series) > 0 {
		m.series[n%len(m.series)].Inc()
		m.counted++
	}
}

// startUp is how long a process takes to start at least. One that starts in the
// millisecond in which another of the same labels has ended collides with its last samples.
const startUp = 10 * time.Millisecond

// restart ends the sender and starts another.
func (m *member) restart(kill bool) error {
	if err := m.end(kill); err != nil {
		return err
	}
	time.Sleep(startUp)
	return m.start()
}

// end ends the sender, which flushes, or is killed: then nothing that it does reaches the
// receiver any more.
func (m *member) end(kill bool) error {
	m.mu.Lock()
	m.series = nil
	m.mu.Unlock()
	if m.stop == nil {
		return nil // it was never started
	}
	m.killed = m.killed || kill
	if kill {
		m.wire.kill()
		m.stop()
		_ = <-m.stopped // its samples are lost
		return nil
	}
	m.stop()
	err := <-m.stopped
	m.dropped += m.health("telltale_remote_write_samples_total", "dropped")
	m.refused += m.health("telltale_remote_write_samples_total", "refused")
	if err != nil {
		return fmt.Errorf("%s: %w", m.instance, err)
	}
	return nil
}

// health returns a value of the sender's health.
func (m *member) health(name, result string) (v float64) {
	families := remotewrite.Health(m.sender)
	reg := telltale.NewRegistry()
	if err := reg.Register(families); err != nil {
		panic(err) // the names are constant
	}
	labels := map[string]string{"target": m.fleet.receiver.url()}
	if result != "" {
		labels["result"] = result
	}
	v, _ = reg.SampleValue(name, labels)
	return v
}
