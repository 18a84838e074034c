package auto_test

import (
	"errors"
	"strings"
	"testing"

	"telltale"
	"telltale/auto"
)

type call struct {
	Method string `label:"method"`
}

// Every kind of instrument is registered, under the options of the factory.
func TestFactoryMakesEveryInstrument(t *testing.T) {
	reg := telltale.NewRegistry()
	m := auto.In(reg, telltale.WithNamespace("shop"), telltale.WithConstLabels(map[string]string{"zone": "a"}))
	m.Counter("orders", "Help.").Inc()
	m.CounterVec("calls", "Help.", []string{"method"}).With("GET").Inc()
	auto.CounterOf[call](m, "typed_calls", "Help.").With(call{"GET"}).Inc()
	m.Gauge("depth", "Help.").Set(1)
	m.GaugeVec("depths", "Help.", []string{"queue"}).With("mail").Set(1)
	auto.GaugeOf[call](m, "typed_depth", "Help.").With(call{"GET"}).Set(1)
	m.Histogram("latency", "Help.", telltale.WithBuckets(1), telltale.WithUnit("seconds")).Observe(1)
	m.HistogramVec("latencies", "Help.", []string{"method"}, telltale.WithBuckets(1)).With("GET").Observe(1)
	auto.HistogramOf[call](m, "typed_latency", "Help.", telltale.WithBuckets(1)).With(call{"GET"}).Observe(1)
	m.Summary("size", "Help.").Observe(1)
	m.SummaryVec("sizes", "Help.", []string{"method"}).With("GET").Observe(1)
	auto.SummaryOf[call](m, "typed_size", "Help.").With(call{"GET"}).Observe(1)
	set(t, m.Info("build", "Help.").Set(map[string]string{"version": "1"}))
	set(t, m.InfoVec("node", "Help.", []string{"name"}).With("a").Set(map[string]string{"version": "1"}))
	set(t, auto.InfoOf[call](m, "typed_node", "Help.").With(call{"GET"}).Set(map[string]string{"version": "1"}))
	set(t, m.Enum("state", "Help.", []string{"on", "off"}).Set("on"))
	set(t, m.EnumVec("door", "Help.", []string{"open", "shut"}, []string{"name"}).With("front").Set("open"))
	set(t, auto.EnumOf[call](m, "typed_state", "Help.", []string{"on", "off"}).With(call{"GET"}).Set("on"))

	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`shop_orders_total{zone="a"} 1.0`,
		`shop_calls_total{zone="a",method="GET"} 1.0`,
		`shop_typed_calls_total{zone="a",method="GET"} 1.0`,
		`shop_depth{zone="a"} 1.0`,
		`shop_depths{zone="a",queue="mail"} 1.0`,
		`shop_typed_depth{zone="a",method="GET"} 1.0`,
		`shop_latency_seconds_bucket{zone="a",le="1.0"} 1.0`,
		`shop_latencies_bucket{zone="a",method="GET",le="1.0"} 1.0`,
		`shop_typed_latency_bucket{zone="a",method="GET",le="1.0"} 1.0`,
		`shop_size_count{zone="a"} 1.0`,
		`shop_sizes_count{zone="a",method="GET"} 1.0`,
		`shop_typed_size_count{zone="a",method="GET"} 1.0`,
		`shop_build_info{zone="a",version="1"} 1.0`,
		`shop_node_info{zone="a",name="a",version="1"} 1.0`,
		`shop_typed_node_info{zone="a",method="GET",version="1"} 1.0`,
		`shop_state{zone="a",shop_state="on"} 1.0`,
		`shop_door{zone="a",name="front",shop_door="open"} 1.0`,
		`shop_typed_state{zone="a",method="GET",shop_typed_state="on"} 1.0`,
	} {
		if !strings.Contains(string(page), want+"\n") {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", page)
	}
}

// Options of an instrument win over those of its factory.
func TestOptionsOfInstrumentsComeLast(t *testing.T) {
	reg := telltale.NewRegistry()
	auto.In(reg, nil, telltale.WithNamespace("shop")).Counter("orders", "Help.", nil, telltale.WithNamespace("market"))
	if _, ok := reg.SampleValue("market_orders_total", nil); !ok {
		t.Error("the registry has no market_orders_total")
	}
}

// The functions of the package, and a nil factory, use the default registry.
func TestFunctionsUseTheDefaultRegistry(t *testing.T) {
	auto.Counter("auto_test_orders", "Help.").Inc()
	var m *auto.Factory
	m.Counter("auto_test_orders", "Help.").Inc()
	if v, _ := telltale.Default.SampleValue("auto_test_orders_total", nil); v != 2 {
		t.Errorf("auto_test_orders_total is %v on the default registry, want 2", v)
	}
}

// A panic names the file and the line of the call, and both definitions.
func TestPanicsNamePlaceAndDefinition(t *testing.T) {
	reg := telltale.NewRegistry()
	m := auto.In(reg)
	m.Counter("orders", "Orders placed.")
	for name, f := range map[string]func(){
		"method":   func() { m.Gauge("orders", "Orders that wait.") },
		"function": func() { auto.GaugeOf[call](m, "orders", "Orders that wait.") },
	} {
		t.Run(name, func(t *testing.T) {
			err := recovered(f)
			var duplicate *telltale.DuplicateError
			if !errors.As(err, &duplicate) || !strings.Contains(err.Error(), "factory_test.go:") || !strings.Contains(err.Error(), "orders") {
				t.Errorf("the panic is %v", err)
			}
		})
	}
	if err := recovered(func() { auto.In(nil) }); err == nil || !strings.Contains(err.Error(), "registry") {
		t.Errorf("In(nil) panics with %v", err)
	}
}

func set(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}
