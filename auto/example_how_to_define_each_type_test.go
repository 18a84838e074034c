package auto_test

import (
	"fmt"
	"time"

	"telltale"
	"telltale/auto"
)

// What an application has of each type. Without In these are on telltale.Default; a name
// that is not valid, or belongs to something else, panics when the program starts.
var (
	logins  = auto.Counter("logins", "Logins.")
	open    = auto.Gauge("sessions_open", "Open sessions.")
	latency = auto.Histogram("latency", "Time to answer.", telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1))
	sizes   = auto.Summary("response_size", "Size of responses.", telltale.WithUnit("bytes"))
	build   = auto.Info("app", "What runs here.")
	mode    = auto.Enum("app_mode", "Mode.", []string{"starting", "serving"})
)

func ExampleCounter() {
	logins.Inc()
	fmt.Println(telltale.Default.SampleValue("logins_total", nil))
	// Output: 1 true
}

func ExampleGauge() {
	open.Set(4)
	fmt.Println(telltale.Default.SampleValue("sessions_open", nil))
	// Output: 4 true
}

func ExampleHistogram() {
	latency.Observe(0.25)
	defer latency.Start().Stop() // observes how long the function takes
	fmt.Println(telltale.Default.SampleValue("latency_seconds_bucket", map[string]string{"le": "1.0"}))
	// Output: 1 true
}

func ExampleSummary() {
	sizes.Observe(512)
	fmt.Println(telltale.Default.SampleValue("response_size_bytes_sum", nil))
	// Output: 512 true
}

func ExampleInfo() {
	if err := build.Set(map[string]string{"version": "1.4.2"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(telltale.Default.SampleValue("app_info", map[string]string{"version": "1.4.2"}))
	// Output: 1 true
}

func ExampleEnum() {
	if err := mode.Set("serving"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(telltale.Default.SampleValue("app_mode", map[string]string{"app_mode": "serving"}))
	// Output: 1 true
}

// Labels by position, of several types of instrument, under the options of one factory.
func ExampleFactory() {
	reg := telltale.NewRegistry()
	m := auto.In(reg, telltale.WithNamespace("shop"), telltale.WithConstLabels(map[string]string{"zone": "eu"}))
	orders := m.CounterVec("orders", "Orders placed.", []string{"country"})
	stock := m.GaugeVec("stock", "Items in stock.", []string{"item"})
	wait := m.HistogramVec("wait", "Time in the queue.", []string{"queue"}, telltale.WithUnit("seconds"), telltale.WithBuckets(1))

	orders.With("de").Inc()
	stock.With("tea").Set(12)
	wait.With("mail").Observe((250 * time.Millisecond).Seconds())
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page), err)
	// Output:
	// # HELP shop_orders_total Orders placed.
	// # TYPE shop_orders_total counter
	// shop_orders_total{zone="eu",country="de"} 1.0
	// # HELP shop_stock Items in stock.
	// # TYPE shop_stock gauge
	// shop_stock{zone="eu",item="tea"} 12.0
	// # HELP shop_wait_seconds Time in the queue.
	// # TYPE shop_wait_seconds histogram
	// shop_wait_seconds_bucket{zone="eu",queue="mail",le="1.0"} 1.0
	// shop_wait_seconds_bucket{zone="eu",queue="mail",le="+Inf"} 1.0
	// shop_wait_seconds_count{zone="eu",queue="mail"} 1.0
	// shop_wait_seconds_sum{zone="eu",queue="mail"} 0.25
	// <nil>
}

// Labels that are the fields of a struct.
func ExampleCounterOf() {
	type request struct {
		Method string
		Code   int
	}
	reg := telltale.NewRegistry()
	requests := auto.CounterOf[request](auto.In(reg), "requests", "Requests served.")
	requests.With(request{"GET", 200}).Inc()
	fmt.Println(reg.SampleValue("requests_total", map[string]string{"method": "GET", "code": "200"}))
	// Output: 1 true
}

// The other types are made alike.
func ExampleEnumOf() {
	type backend struct{ Name string }
	reg := telltale.NewRegistry()
	m := auto.In(reg)
	state := auto.EnumOf[backend](m, "backend_state", "State.", []string{"up", "down"})
	depth := auto.GaugeOf[backend](m, "backend_depth", "Requests that wait.")

	depth.With(backend{"mail"}).Set(2)
	if err := state.With(backend{"mail"}).Set("down"); err != nil {
		fmt.Println(err)
	}
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page), err)
	// Output:
	// # HELP backend_state State.
	// # TYPE backend_state gauge
	// backend_state{name="mail",backend_state="up"} 0.0
	// backend_state{name="mail",backend_state="down"} 1.0
	// # HELP backend_depth Requests that wait.
	// # TYPE backend_depth gauge
	// backend_depth{name="mail"} 2.0
	// <nil>
}
