package telltale_test

import (
	"context"
	"fmt"

	"telltale"
	"telltale/model"
)

// How do I count by labels? A handle that With returned can be kept, which saves the
// lookup.
func ExampleNewCounterVec() {
	requests := telltale.Must(telltale.NewCounterVec("requests", "Requests served.", []string{"method", "code"}, telltale.Unregistered()))
	requests.With("GET", "200").Inc()
	requests.WithLabels(map[string]string{"code": "500", "method": "POST"}).Add(2)
	created := requests.With("POST", "201") // for a hot path
	created.Inc()
	printPage(requests)
	// Output:
	// # HELP requests_total Requests served.
	// # TYPE requests_total counter
	// requests_total{method="GET",code="200"} 1.0
	// requests_total{method="POST",code="500"} 2.0
	// requests_total{method="POST",code="201"} 1.0
}

// How do I show a level for each of several things?
func ExampleNewGaugeVec() {
	waiting := telltale.Must(telltale.NewGaugeVec("queue_length", "Jobs waiting.", []string{"queue"}, telltale.Unregistered()))
	waiting.With("mail").Set(3)
	waiting.With("print").Set(1)
	fmt.Println(waiting.Remove("print"), waiting.Len()) // the queue is gone, and so is its series
	printPage(waiting)
	// Output:
	// true 1
	// # HELP queue_length Jobs waiting.
	// # TYPE queue_length gauge
	// queue_length{queue="mail"} 3.0
}

// The labels are the fields of a struct, which the compiler checks.
func ExampleNewGaugeOf() {
	type disk struct {
		Device string
		Shard  int `label:"shard_id"`
	}
	free := telltale.Must(telltale.NewGaugeOf[disk]("disk_free", "Free space.", telltale.Unregistered(), telltale.WithUnit("bytes")))
	free.With(disk{Device: "sda", Shard: 2}).Set(4096)
	printPage(free)
	// Output:
	// # HELP disk_free_bytes Free space.
	// # TYPE disk_free_bytes gauge
	// disk_free_bytes{device="sda",shard_id="2"} 4096.0
}

// How do I observe with buckets of my own?
func ExampleNewHistogram() {
	latency := telltale.Must(telltale.NewHistogram("latency", "Time to answer.", telltale.Unregistered(), telltale.WithUnit("seconds"),
		telltale.WithBuckets(0.1, 1)))
	latency.Observe(0.05)
	latency.Observe(0.5)
	printPage(latency)
	// Output:
	// # HELP latency_seconds Time to answer.
	// # TYPE latency_seconds histogram
	// latency_seconds_bucket{le="0.1"} 1.0
	// latency_seconds_bucket{le="1.0"} 2.0
	// latency_seconds_bucket{le="+Inf"} 2.0
	// latency_seconds_count 2.0
	// latency_seconds_sum 0.55
}

// How do I observe by labels?
func ExampleNewHistogramVec() {
	size := telltale.Must(telltale.NewHistogramVec("upload_size", "Size of uploads.", []string{"kind"}, telltale.Unregistered(),
		telltale.WithUnit("bytes"), telltale.WithBuckets(1024)))
	size.With("image").Observe(700)
	printPage(size)
	// Output:
	// # HELP upload_size_bytes Size of uploads.
	// # TYPE upload_size_bytes histogram
	// upload_size_bytes_bucket{kind="image",le="1024.0"} 1.0
	// upload_size_bytes_bucket{kind="image",le="+Inf"} 1.0
	// upload_size_bytes_count{kind="image"} 1.0
	// upload_size_bytes_sum{kind="image"} 700.0
}

// The labels are the fields of a struct, which the compiler checks.
func ExampleNewHistogramOf() {
	type call struct{ Service, Method string }
	seconds := telltale.Must(telltale.NewHistogramOf[call]("call", "Duration of calls.", telltale.Unregistered(),
		telltale.WithUnit("seconds"), telltale.WithBuckets(1)))
	seconds.With(call{"cart", "Add"}).Observe(0.25)
	printPage(seconds)
	// Output:
	// # HELP call_seconds Duration of calls.
	// # TYPE call_seconds histogram
	// call_seconds_bucket{service="cart",method="Add",le="1.0"} 1.0
	// call_seconds_bucket{service="cart",method="Add",le="+Inf"} 1.0
	// call_seconds_count{service="cart",method="Add"} 1.0
	// call_seconds_sum{service="cart",method="Add"} 0.25
}

// How do I give a part of a program an instrument some of whose labels are set?
func ExampleVec_Curry() {
	jobs := telltale.Must(telltale.NewCounterVec("jobs", "Jobs done.", []string{"queue", "result"}, telltale.Unregistered()))
	mails, err := jobs.Curry(map[string]string{"queue": "mail"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mails.With("sent").Add(2)
	printPage(jobs)
	// Output:
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total{queue="mail",result="sent"} 2.0
}

// How do I have series on the page, as zeros, before anything happens?
func ExampleVec_Init() {
	failures := telltale.Must(telltale.NewCounterVec("failures", "Failures.", []string{"cause"}, telltale.Unregistered()))
	fmt.Println(failures.Init([]string{"timeout"}, []string{"refused"}))
	printPage(failures)
	// Output:
	// <nil>
	// # HELP failures_total Failures.
	// # TYPE failures_total counter
	// failures_total{cause="timeout"} 0.0
	// failures_total{cause="refused"} 0.0
}

// How do I show a new list in place of the old one, with no scrape between the two?
func ExampleVec_Replace() {
	members := telltale.Must(telltale.NewGaugeVec("member", "Members of the cluster.", []string{"node"}, telltale.Unregistered()))
	members.With("n1").Set(1)
	members.Replace(func(next *telltale.GaugeVec) {
		next.With("n2").Set(1)
		next.With("n3").Set(1)
	})
	printPage(members)
	// Output:
	// # HELP member Members of the cluster.
	// # TYPE member gauge
	// member{node="n2"} 1.0
	// member{node="n3"} 1.0
}

// How do I make series on the page before anything happens, with the fields of a struct?
func ExampleOf_Init() {
	type failure struct{ Cause string }
	failures := telltale.Must(telltale.NewCounterOf[failure]("failures", "Failures.", telltale.Unregistered()))
	failures.Init(failure{"timeout"}, failure{"refused"})
	printPage(failures)
	// Output:
	// # HELP failures_total Failures.
	// # TYPE failures_total counter
	// failures_total{cause="timeout"} 0.0
	// failures_total{cause="refused"} 0.0
}

// How do I show a total that something else counts?
func ExampleNewCounterFunc() {
	var packets uint64 = 12 // read from elsewhere at each scrape
	c := telltale.Must(telltale.NewCounterFunc("packets", "Packets received.", nil,
		telltale.SingleValue(func() float64 { return float64(packets) })))
	printPage(c)
	// Output:
	// # HELP packets_total Packets received.
	// # TYPE packets_total counter
	// packets_total 12.0
}

// How do I write a collector without a type of its own? A family that describes it is
// known to the registry before the first scrape.
func ExampleCollectorFunc() {
	header := &model.Family{Name: "room_temperature", Help: "By room.", Type: model.Gauge}
	c := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
		f, err := model.NewGaugeFamily("room_temperature", "By room.", model.WithLabelNames("room"))
		if err != nil {
			return err
		}
		if err := f.Add([]string{"kitchen"}, 21.5); err != nil {
			return err
		}
		return emit(f.Family())
	}, header)
	printPage(c)
	// Output:
	// # HELP room_temperature By room.
	// # TYPE room_temperature gauge
	// room_temperature{room="kitchen"} 21.5
}

// How do I choose the bounds of buckets? By a factor, or by a width.
func ExampleExponentialBuckets() {
	fmt.Println(telltale.ExponentialBuckets(1, 2, 5))
	fmt.Println(telltale.ExponentialBucketsRange(1, 81, 5))
	fmt.Println(telltale.LinearBuckets(10, 5, 4))
	// Output:
	// [1 2 4 8 16] <nil>
	// [1 3.0000000000000004 9.000000000000004 27.000000000000014 81] <nil>
	// [10 15 20 25] <nil>
}
