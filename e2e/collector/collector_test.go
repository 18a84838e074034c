package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	otelbridge "telltale/bridge/otel"
	"telltale/internal/freeport"
	"telltale/internal/transcript"
	"telltale/push/otlp"
)

var nan, inf = math.NaN(), math.Inf(1)

// patience bounds what a test waits for.
const patience = 5 * time.Minute

// collector is one that runs.
type collector struct {
	grpc, http     string // addresses
	byGRPC, byHTTP string // files of what came
	said           *transcript.Transcript
	ended          chan struct{} // closed
	err            error         // once it has ended
	stop           func()
}

// build returns the collector's program, which the go command keeps in its cache.
func build(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-n", "program")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("building the collector: %v\n%s", err, errors.String())
	}
	return strings.TrimSpace(string(out))
}

// start starts a collector, which ends with the test.
func start(t *testing.T, program string) *collector {
	t.Helper()
	for range 5 {
		if c := try(t, program); c != nil {
			return c
		}
	}
	t.Fatal("no address stays free for as long as the collector takes to listen on it")
	return nil
}

// try starts a collector and waits until it listens. It returns nil if another program
// got its address.
func try(t *testing.T, program string) *collector {
	t.Helper()
	dir := t.TempDir()
	c := &collector{
		grpc: freeport.Address(t), http: freeport.Address(t), byGRPC: filepath.Join(dir, "grpc.json"), byHTTP: filepath.Join(dir, "http.json"),
		said: new(transcript.Transcript), ended: make(chan struct{}),
	}
	config := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
receivers:
  otlp/grpc: {protocols: {grpc: {endpoint: %q}}}
  otlp/http: {protocols: {http: {endpoint: %q}}}
exporters:
  file/grpc: {path: %q}
  file/http: {path: %q}
service:
  pipelines:
    metrics/grpc: {receivers: [otlp/grpc], exporters: [file/grpc]}
    metrics/http: {receivers: [otlp/http], exporters: [file/http]}
`, c.grpc, c.http, c.byGRPC, c.byHTTP), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config", config)
	cmd.Stdout, cmd.Stderr = c.said, c.said
	stdin, err := cmd.StdinPipe() // it ends with this program, whatever becomes of it
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		c.err = cmd.Wait()
	}()
	c.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt) // fails if it has ended
		select {
		case <-c.ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-c.ended
			t.Errorf("the collector did not end; it said\n%s", c.said)
		}
		_ = stdin.Close()
	})
	t.Cleanup(c.stop)
	for _, address := range []string{c.grpc, c.http} {
		taken := false
		c.await(t, "listens on "+address, func() bool {
			taken = strings.Contains(c.said.String(), "address already in use")
			conn, err := net.Dial("tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil || taken
		})
		if taken {
			c.stop()
			return nil
		}
	}
	return c
}

// await waits until a condition holds. The end of the collector fails the test.
func (c *collector) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-c.ended:
			if !holds() {
				t.Fatalf("the collector ended (%v) before it %s; it said\n%s", c.err, what, c.said)
			}
			return
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("gave up waiting until the collector %s; it said\n%s", what, c.said)
		}
	}
}

// requests waits until a file has so many requests and returns them.
func (c *collector) requests(t *testing.T, file string, n int) (all []request) {
	t.Helper()
	c.await(t, fmt.Sprintf("has written %d requests to %s", n, file), func() bool {
		written, err := os.ReadFile(file)
		return err == nil && bytes.Count(written, []byte("\n")) >= n
	})
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(written)); ; {
		var r request
		if err := decoder.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, written)
		}
		all = append(all, r)
	}
	if len(all) != n {
		t.Errorf("%d requests, want %d", len(all), n)
	}
	return all
}

// What a registry has comes to an OpenTelemetry collector through the SDK's periodic
// reader, sample by sample, by both protocols.
func TestOpenTelemetryCollectorHasEverySample(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	c := start(t, build(t))
	byGRPC, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(c.grpc), otlpmetricgrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	byHTTP, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(c.http), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]struct {
		exporter sdk.Exporter
		file     string
	}{"grpc": {byGRPC, c.byGRPC}, "http": {byHTTP, c.byHTTP}} {
		t.Run(name, func(t *testing.T) {
			reg, more := newRegistry(t)
			reader := sdk.NewPeriodicReader(to.exporter, sdk.WithInterval(time.Hour), sdk.WithTimeout(patience), sdk.WithProducer(otelbridge.NewProducer(reg)))
			provider := sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithResource(otelbridge.Resource(reg)))
			var want []*content
			var before []int64
			export := func(f func(context.Context) error) {
				t.Helper()
				want, before = append(want, contentOf(t, reg)), append(before, time.Now().UnixNano())
				if err := f(ctx); err != nil {
					t.Fatal(err)
				}
			}
			export(provider.ForceFlush)
			more()
			export(provider.ForceFlush)
			export(provider.Shutdown)
			for i, r := range c.requests(t, to.file, len(want)) {
				got, resource := received(t, &r)
				if !maps.Equal(resource, target) {
					t.Errorf("the resource is %v, want %v", resource, target)
				}
				compare(t, got, want[i])
				checkTimes(t, got.times, before[i])
				checkMetadata(t, &r)
			}
		})
	}
	c.stop()
	if c.err != nil {
		t.Errorf("the collector ended with %v; it said\n%s", c.err, c.said)
	}
}

// What a registry has comes to an OpenTelemetry collector by package push/otlp, sample by
// sample.
func TestOpenTelemetryCollectorHasEverySampleThatIsPushed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	c := start(t, build(t))
	reg, more := newRegistry(t)
	to, err := otlp.NewTarget(c.http)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // series of the millisecond of a push begin with it
	var want []*content
	var before []int64
	for range 2 {
		want, before = append(want, contentOf(t, reg)), append(before, time.Now().UnixNano())
		if err := to.Push(ctx, reg); err != nil {
			t.Fatal(err)
		}
		more()
	}
	want, before = append(want, contentOf(t, reg)), append(before, time.Now().UnixNano())
	sender, err := otlp.NewSender(reg, c.http, otlp.WithoutGzip())
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(ctx)
	end() // which leaves the last collection
	if err := sender.Run(ended); err != nil {
		t.Fatal(err)
	}
	for i, r := range c.requests(t, c.byHTTP, len(want)) {
		got, resource := received(t, &r)
		if !maps.Equal(resource, target) {
			t.Errorf("the resource is %v, want %v", resource, target)
		}
		maps.DeleteFunc(want[i].starts, func(series string, _ int64) bool { // which do not count
			return strings.HasPrefix(series, "free_bytes") || strings.HasPrefix(series, "build_info") || strings.HasPrefix(series, "state")
		})
		compare(t, got, want[i])
		checkTimes(t, got.times, before[i])
		checkMetadata(t, &r)
	}
	c.stop()
	if c.err != nil {
		t.Errorf("the collector ended with %v; it said\n%s", c.err, c.said)
	}
}

func compare(t *testing.T, got, want *content) {
	t.Helper()
	if len(want.values) < 40 || len(want.natives) != 2 || len(want.exemplars) < 4 || len(want.starts) < 10 {
		t.Errorf("the registry has too little: %d samples, %d native histograms, exemplars of %d and starts of %d series", len(want.values), len(want.natives), len(want.exemplars), len(want.starts))
	}
	same(t, "sample", got.values, want.values, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	same(t, "native histogram", got.natives, want.natives, func(a, b string) bool { return a == b })
	same(t, "start", got.starts, want.starts, func(a, b int64) bool { return a == b })
	same(t, "exemplars", got.exemplars, want.exemplars, slices.Equal)
}

// same fails the test unless two maps have the same keys with the same values.
func same[V any](t *testing.T, what string, got, want map[string]V, equal func(a, b V) bool) {
	t.Helper()
	for key, w := range want {
		if g, ok := got[key]; !ok || !equal(g, w) {
			t.Errorf("%s: the %s is %v (there: %t), want %v", key, what, g, ok, w)
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: the %s is %v, want none", key, what, g)
		}
	}
}

// checkTimes checks when values were taken, in whole milliseconds: in the collection that
// began before, but for one that has a time of its own.
func checkTimes(t *testing.T, times []int64, before int64) {
	t.Helper()
	own := 0
	for _, at := range times {
		if at == spoken.UnixNano() {
			own++
		} else if at < before-int64(time.Millisecond) || at > time.Now().UnixNano() {
			t.Errorf("a value is of %v", time.Unix(0, at))
		}
	}
	if own != 1 {
		t.Errorf("%d values have a time of their own, want 1", own)
	}
}

// checkMetadata checks help and units of some metrics, and what their buckets are, by
// hand.
func checkMetadata(t *testing.T, r *request) {
	t.Helper()
	all := make(map[string]metric)
	for _, sm := range r.ResourceMetrics[0].ScopeMetrics {
		for _, m := range sm.Metrics {
			all[m.Name] = m
		}
	}
	for name, want := range map[string][2]string{
		"orders_total": {"Orders placed.", ""}, "sold_joules_total": {"Energy sold.", "J"}, "free_bytes": {"Free.", "By"},
		"latency_seconds": {"Time to answer.", "s"}, "size_bytes": {"Sizes.", "By"},
	} {
		if m := all[name]; m.Description != want[0] || m.Unit != want[1] {
			t.Errorf("%s has the description %q and the unit %q, want %q", name, m.Description, m.Unit, want)
		}
	}
	d := all["size_bytes"].ExponentialHistogram
	if d == nil || len(d.DataPoints) != 1 {
		t.Fatalf("size_bytes is %+v", all["size_bytes"])
	}
	p := d.DataPoints[0]
	times := p.Count.number(t) / 9
	counts := make([]float64, 20) // [2^n, 2^(n+1)), where bounds belong to the bucket below
	counts[0], counts[1], counts[2], counts[19] = 2*times, times, times, times
	var got []float64
	for _, n := range p.Positive.BucketCounts {
		got = append(got, n.number(t))
	}
	if p.Scale != 0 || p.Positive.Offset != 0 || !slices.Equal(got, counts) || p.Negative.Offset != 1 || len(p.Negative.BucketCounts) != 1 || p.ZeroCount.number(t) != 3*times || p.ZeroThreshold.number(t) != 0.25 {
		t.Errorf("size_bytes is %+v", p)
	}
}
