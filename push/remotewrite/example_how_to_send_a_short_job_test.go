package remotewrite_test

import (
	"context"
	"fmt"
	"time"

	"telltale"
	"telltale/push"
	"telltale/push/remotewrite"
)

// A job that ends before anybody could scrape it sends beside its work: when it begins,
// and what it has counted when it ends, followed by the stale markers of its series. No
// other run has its instance, each series says when it began to count, and the receiver
// cannot keep the job for longer than the flush timeout.
func ExampleSender_Run_shortJob() {
	reg := telltale.NewRegistry()
	rows := telltale.Must(telltale.NewCounter("rows_total", "Rows.", telltale.In(reg)))

	sender, err := remotewrite.NewSender(reg, "http://localhost:1/api/v1/write",
		remotewrite.WithLabels(map[string]string{"job": "backup", "instance": push.UniqueInstance()}),
		remotewrite.WithFlushTimeout(200*time.Millisecond),
		remotewrite.WithErrorHook(func(error) {}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() { sent <- sender.Run(ctx) }()

	rows.Add(7) // the job

	stop()
	if err := <-sent; err != nil { // the job is done all the same
		fmt.Println("not all was sent")
	}
	// Output:
	// not all was sent
}
