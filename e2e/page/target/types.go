package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"telltale"
	"telltale/auto"
	"telltale/collectors"
	"telltale/model"
)

// types returns a registry with a family of each type, which change until ctx is done.
func types(ctx context.Context, held *pause) telltale.Collector {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"service_name": "checkout", "service_version": "4.2.0"}))
	f := auto.In(reg)
	requests := f.CounterVec("http_requests", "Requests answered, by method and status.", []string{"method", "code"})
	queue := f.GaugeVec("queue_depth", "Orders waiting, by queue.", []string{"queue"})
	latency := f.HistogramVec("request_duration", "How long requests took.", []string{"route"}, telltale.WithUnit("seconds"),
		telltale.WithBuckets(.005, .01, .025, .05, .1, .25, .5, 1, 2.5))
	native := f.Histogram("payment_duration", "How long payments took, in exponential buckets.", telltale.WithUnit("seconds"), telltale.WithNativeSchema(2))
	sizes := f.Summary("response_size", "Sizes of responses.", telltale.WithUnit("bytes"), telltale.WithQuantiles(.5, .9, .99))
	state := f.EnumVec("worker_state", "What each worker does.", []string{"idle", "busy", "draining"}, []string{"worker"})
	build := f.Info("build", "How the program was built.")
	crowd := f.CounterVec("shard_operations", "Operations of 500 shards.", []string{"shard"})
	crowded := f.HistogramVec("shard_duration", "How long operations of 500 shards took.", []string{"shard"}, telltale.WithUnit("seconds"))
	sessions := f.GaugeVec("session_age", "Series that nobody updates end.", []string{"session"}, telltale.WithUnit("seconds"), telltale.WithIdleExpiry(3*time.Second))
	tenants := f.CounterVec("tenant_requests", "Has a limit of series.", []string{"tenant"}, telltale.WithSeriesLimit(8))
	mustDo(build.Set(map[string]string{"version": "4.2.0", "revision": "9f3c1d7"}))
	mustDo(collectors.Register(reg))
	mustDo(reg.Register(telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		if err := emit(telltale.Must(model.NewGaugeFamily("weather_celsius", "From another system.", model.WithValue(17.5))).Family()); err != nil {
			return err
		}
		return errors.New("the other half of the weather is missing")
	})))
	mustDo(reg.Register(odd{}))

	random := rand.New(rand.NewPCG(1, 2))
	began := time.Now()
	step := func(n int) {
		held.while(func() {
			t := float64(n) / 20
			swing := 1 + .5*math.Sin(t/6)
			for i, method := range []string{"GET", "POST", "PUT"} {
				requests.With(method, "200").Add(float64(int(swing*12) / (i + 1)))
			}
			if n%7 == 0 {
				requests.With("POST", "500").Inc()
			}
			for i, q := range []string{"packing", "billing", "mail"} {
				queue.With(q).Set(math.Round(10*(20+float64(i)*9+8*math.Sin(t/5+float64(i))+random.Float64()*3)) / 10)
			}
			for range 4 {
				took := math.Exp(random.NormFloat64()*.7 - 3 + .6*math.Sin(t/8))
				mustDo(latency.With([]string{"/cart", "/pay"}[random.IntN(2)]).ObserveWithExemplar(took, map[string]string{"trace_id": fmt.Sprintf("%016x", random.Uint64())}))
				native.Observe(took * 3)
				sizes.Observe(900 + 4000*random.Float64()*swing)
			}
			for i := range 4 {
				worker := state.With(fmt.Sprint("w", i))
				mustDo(worker.Set([]string{"idle", "busy", "busy", "draining"}[(n/40+i*3)%4]))
			}
			for i := range 500 {
				crowd.With(fmt.Sprintf("s%03d", i)).Add(float64(1 + (i+n)%7*i/100))
				crowded.With(fmt.Sprintf("s%03d", i)).Observe(math.Exp(random.NormFloat64() - 3))
			}
			sessions.With(fmt.Sprint("session-", n/20)).Set(time.Since(began).Seconds())
			tenants.With(fmt.Sprint("tenant-", n%12)).Inc()
		})
	}
	step(0)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-tick.C:
				step(n)
			case <-ctx.Done():
				return
			}
		}
	}()
	return reg
}

// odd has the types that no instrument makes, and numbers that JSON lacks.
type odd struct{}

func (odd) Collect(_ context.Context, emit func(*model.Family) error) error {
	unknown := telltale.Must(model.NewFamily("legacy_values", "Of unknown type, with numbers that JSON lacks.", model.Unknown))
	for name, v := range map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "minus": math.Inf(-1), "tiny": 5e-324, "huge": 1.7e308} {
		unknown.AddSample("legacy_values", map[string]string{"kind": name}, v)
	}
	if err := emit(unknown); err != nil {
		return err
	}
	present := telltale.Must(model.NewFamily("pool_ages", "Ages of what is in the pool now.", model.GaugeHistogram))
	for _, b := range []struct {
		le string
		n  float64
	}{{"1.0", 3}, {"10.0", 9}, {"+Inf", 11}} {
		present.AddSample("pool_ages_bucket", map[string]string{"le": b.le}, b.n)
	}
	present.AddSample("pool_ages_gcount", nil, 11)
	present.AddSample("pool_ages_gsum", nil, 64)
	return emit(present)
}

func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}
