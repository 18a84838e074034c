package telltale_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"telltale"
	"telltale/model"
)

// How do I hear of a collector that fails?
func ExampleRegistry_SetErrorHook() {
	// Without a hook, faults are logged with log/slog: each kind once, then once a
	// minute at most.
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})))

	registry := telltale.NewRegistry()
	jobs := telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(registry)))
	jobs.Add(-1)
	jobs.Add(-1)

	// A hook gets every fault, as a *telltale.Fault.
	registry.SetErrorHook(func(err error) {
		var fault *telltale.Fault
		fmt.Println(errors.As(err, &fault), fault.Reason, fault.Err)
	})
	stock, err := telltale.NewGaugeFunc("stock", "Goods in stock.", nil, func(context.Context, telltale.Observe) error {
		return errors.New("db is down")
	}, telltale.In(registry))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = registry.Collect(context.Background(), func(*model.Family) error { return nil })
	fmt.Println(registry.Stats().Faults, registry.Unregister(stock))
	// Output:
	// level=WARN msg="telltale: an instrument is misused" reason=negative family=jobs err="telltale: counter \"jobs\" (Jobs done.) was increased by -1, which is ignored: a counter only grows"
	// true error db is down
	// map[error:1 negative:2] <nil>
}
