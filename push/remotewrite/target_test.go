package remotewrite_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/push"
	"telltale/push/remotewrite"
)

var _ push.Target = (*remotewrite.Target)(nil)

// A push sends the present state once, and says what the receiver refused.
func TestTarget(t *testing.T) {
	b, c := newBackend(t), &counting{series: 10}
	var status atomic.Int64
	b.answer = func(int) action {
		return action{status: int(status.Load()), header: http.Header{"Retry-After": {"7"}}}
	}
	target := must(remotewrite.NewTarget(b.URL, remotewrite.WithMaxSamples(4)))
	ctx := context.Background()
	for _, test := range []struct {
		status    int
		temporary bool
	}{{0, false}, {503, true}, {0, false}, {400, false}, {0, false}} {
		status.Store(int64(test.status))
		err := target.Push(ctx, c)
		var refused *push.StatusError
		if test.status == 0 {
			if err != nil {
				t.Error(err)
			}
		} else if !errors.As(err, &refused) || refused.Code != test.status || refused.Temporary() != test.temporary || refused.RetryAfter != 7*time.Second {
			t.Errorf("%d: %v", test.status, err)
		}
	}
	c.live.Store(1)
	if err := target.Push(ctx, c); err != nil {
		t.Error(err)
	}
	b.check(t)
	for i := range 10 {
		var got []string
		for _, p := range b.of(seriesOf(i)) {
			got = append(got, valueOf(p))
		}
		want := "1.0 3.0 5.0 stale"
		if i == 0 {
			want = "1.0 3.0 5.0 6.0"
		}
		if strings.Join(got, " ") != want {
			t.Errorf("series %d has %v, want %s", i, got, want)
		}
	}
	var page bytes.Buffer
	if err := telltale.WriteLatest(ctx, &page, remotewrite.Health(target)); err != nil || !strings.Contains(page.String(), `result="delivered"} 40.0`) ||
		!strings.Contains(page.String(), `result="refused"} 10.0`) || !strings.Contains(page.String(), `result="dropped"} 10.0`) {
		t.Errorf("%v\n%s", err, &page)
	}
}

// What could not be sent of samples with times of their own is sent by the next push.
func TestTargetSendsOwnTimesAgain(t *testing.T) {
	b := newBackend(t)
	b.answer = func(n int) action {
		if n == 0 {
			return action{status: 500}
		}
		return action{}
	}
	f := must(model.NewGaugeFamily("old", ""))
	fail(f.Add(nil, 1, model.WithTimestamp(time.UnixMilli(1000))))
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error { return emit(f.Family()) })
	target := must(remotewrite.NewTarget(b.URL))
	if err := target.Push(context.Background(), c); err == nil {
		t.Error("no error")
	}
	for range 2 {
		if err := target.Push(context.Background(), c); err != nil {
			t.Error(err)
		}
	}
	if all := b.of(`__name__="old"`); len(all) != 1 || b.n != 2 {
		t.Errorf("%v by %d requests", all, b.n)
	}
}

// Every pushes to a target, and a last time at its end.
func TestTargetByEvery(t *testing.T) {
	b, c := newBackend(t), &counting{series: 3}
	target := must(remotewrite.NewTarget(b.URL))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- push.Every(ctx, 5*time.Millisecond, c, target) }()
	await(t, "samples", func() bool { return len(b.of(seriesOf(0))) > 3 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.check(t)
	all := b.of(seriesOf(2))
	if last := valueOf(all[len(all)-1]); last != model.FormatValue(float64(c.n.Load())) {
		t.Errorf("the last value is %s of %d", last, c.n.Load())
	}
}
