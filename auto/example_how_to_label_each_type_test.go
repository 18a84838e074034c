package auto_test

import (
	"fmt"

	"telltale"
	"telltale/auto"
)

// Vectors of the other types, on telltale.Default, have their labels by position, too.
var (
	depth    = auto.GaugeVec("backlog_depth", "Jobs that wait.", []string{"queue"})
	waits    = auto.HistogramVec("backlog_wait_seconds", "How long jobs waited.", []string{"queue"}, telltale.WithBuckets(1, 10))
	payloads = auto.SummaryVec("backlog_payload_bytes", "Size of jobs.", []string{"queue"})
	backends = auto.InfoVec("backlog_backend", "What holds a queue.", []string{"queue"})
	states   = auto.EnumVec("backlog_state", "State of a queue.", []string{"open", "closed"}, []string{"queue"})
)

func ExampleGaugeVec() {
	depth.With("mail").Set(2)
	fmt.Println(telltale.Default.SampleValue("backlog_depth", map[string]string{"queue": "mail"}))
	// Output: 2 true
}

func ExampleHistogramVec() {
	waits.With("mail").Observe(4)
	fmt.Println(telltale.Default.SampleValue("backlog_wait_seconds_bucket", map[string]string{"queue": "mail", "le": "10.0"}))
	// Output: 1 true
}

func ExampleSummaryVec() {
	payloads.With("mail").Observe(512)
	fmt.Println(telltale.Default.SampleValue("backlog_payload_bytes_count", map[string]string{"queue": "mail"}))
	// Output: 1 true
}

func ExampleInfoVec() {
	if err := backends.With("mail").Set(map[string]string{"engine": "postgres"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(telltale.Default.SampleValue("backlog_backend_info", map[string]string{"queue": "mail", "engine": "postgres"}))
	// Output: 1 true
}

func ExampleEnumVec() {
	if err := states.With("mail").Set("closed"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(telltale.Default.SampleValue("backlog_state", map[string]string{"queue": "mail", "backlog_state": "closed"}))
	// Output: 1 true
}
