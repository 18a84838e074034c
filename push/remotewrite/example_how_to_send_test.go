package remotewrite_test

import (
	"context"
	"fmt"
	"time"

	"telltale"
	"telltale/push/remotewrite"
)

// A program sends its metrics for as long as it runs, and a last time at its end.
func ExampleSender_Run() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("orders_total", "Orders.", telltale.In(reg))).Add(3)

	sender, err := remotewrite.NewSender(reg, "http://localhost:1/api/v1/write",
		remotewrite.WithLabels(map[string]string{"job": "shop", "instance": "shop-7"}),
		remotewrite.WithFlushTimeout(100*time.Millisecond),
		remotewrite.WithErrorHook(func(error) {}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // as at the end of main
	fmt.Println(sender.Run(ctx))
	// Output:
	// push/remotewrite: 2 samples could not be sent to http://localhost:1/api/v1/write in 100ms
}
