package telltale_test

import (
	"context"
	"errors"
	"fmt"

	"telltale"
	"telltale/model"
)

// myCollector is a collector that has nothing to say yet.
type myCollector struct{}

func (*myCollector) Collect(context.Context, func(*model.Family) error) error { return nil }

// How do I use the registry that everything shares?
func ExampleDefault() {
	// Metrics register with Default unless told otherwise.
	counter := telltale.Must(telltale.NewCounter("my_counter", "My counter"))
	counter.Inc()

	// Asked for again, the same counter comes back.
	again := telltale.Must(telltale.NewCounter("my_counter", "My counter"))
	fmt.Println(again == counter)

	// Anything else of that name is an error that says what is in its way.
	_, err := telltale.NewGauge("my_counter", "Mine too")
	var duplicate *telltale.DuplicateError
	fmt.Println(errors.As(err, &duplicate), duplicate.Names())

	// Register a collector of your own.
	if err := telltale.Default.Register(&myCollector{}); err != nil {
		fmt.Println(err)
		return
	}

	page, err := telltale.GenerateLatest(telltale.Default.Restricted("my_counter_total"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(page))
	// Output:
	// true
	// true [my_counter]
	// # HELP my_counter_total My counter
	// # TYPE my_counter_total counter
	// my_counter_total 1.0
}
