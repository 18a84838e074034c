package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"telltale"
	"telltale/internal/freeport"
	"telltale/model"
)

// runner is a sender.
type runner interface {
	Run(ctx context.Context) error
}

// throughKills has a sender of twenty series of job j, which count collections, run while
// a Prometheus with that flag is killed and started again, and checks that it has each
// sample once.
func throughKills(t *testing.T, flag string, sender func(c telltale.Collector, base string) (runner, error)) {
	t.Helper()
	program, directory, address := requirePrometheus3(t), t.TempDir(), freeport.Address(t)
	base := "http://" + address
	config := directory + "/prometheus.yml"
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func() *scraper {
		p := &scraper{base: base}
		p.process = start(t, "prometheus", exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+directory+"/data",
			"--web.listen-address="+address, flag, "--log.level=debug"))
		p.await(t, "to be ready", func(ctx context.Context) bool {
			_, err := get(ctx, p.base+"/-/ready", "")
			return err == nil
		})
		return p
	}
	var n atomic.Int64
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		f, err := model.NewGaugeFamily("n", "", model.WithLabelNames("i"))
		if err != nil {
			return err
		}
		v := n.Add(1)
		for i := range 20 {
			if err := f.Add([]string{fmt.Sprint(i)}, float64(v)); err != nil {
				return err
			}
		}
		return emit(f.Family())
	})
	s, err := sender(c, base)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var p *scraper
	for range 4 {
		p = run()
		before := n.Load()
		p.await(t, "to be sent samples", func(context.Context) bool { return n.Load() > before+10 })
		complaints := slices.DeleteFunc(p.complaints(), func(line string) bool {
			return strings.Contains(line, "lockfile") || strings.Contains(line, "WAL") && strings.Contains(line, "repair") // of one that was killed
		})
		if len(complaints) > 0 {
			t.Errorf("Prometheus complains: %q", complaints)
		}
		_ = p.stop(syscall.SIGKILL) // which is how it ends
	}
	p = run()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	all := p.all(t, "j")
	if len(all) != 20 {
		t.Errorf("there are %d series", len(all))
	}
	for _, series := range all {
		next := int64(1)
		for _, v := range series.Values {
			if next == n.Load()-1 && v[1] == fmt.Sprint(n.Load()) {
				next++ // the last collection but one may have been cut off
			}
			if v[1] != fmt.Sprint(next) {
				t.Errorf("series %v has %v instead of %d", series.Metric, v[1], next)
				break
			}
			next++
		}
		if next != n.Load()+1 {
			t.Errorf("series %v ends with %d of %d", series.Metric, next-1, n.Load())
		}
	}
}
