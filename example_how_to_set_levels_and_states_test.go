package telltale_test

import (
	"context"
	"errors"
	"fmt"

	"telltale"
)

// How do I show a level that goes up and down?
func ExampleNewGauge() {
	reg := telltale.NewRegistry()
	queue, err := telltale.NewGauge("queue_orders", "Orders that wait.", telltale.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	queue.Set(12)
	queue.Dec()
	func() {
		defer queue.TrackInProgress()() // 12 until the function returns
	}()
	fmt.Println(queue.Value())
	// Output: 11
}

// How do I show a level that something else knows? The function is called at each
// scrape.
func ExampleNewGaugeFunc() {
	waiting := map[string]float64{"mail": 3}
	queues, err := telltale.NewGaugeFunc("queue_length", "Jobs that wait.", []string{"queue"},
		func(_ context.Context, observe telltale.Observe) error {
			for name, n := range waiting {
				if err := observe(n, name); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(queues)
	fmt.Print(string(page))
	fmt.Println(err)
	// Output:
	// # HELP queue_length Jobs that wait.
	// # TYPE queue_length gauge
	// queue_length{queue="mail"} 3.0
	// <nil>
}

// How do I show facts that do not change, such as a version?
func ExampleNewInfo() {
	reg := telltale.NewRegistry()
	build, err := telltale.NewInfo("build", "What runs here.", telltale.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := build.Set(map[string]string{"version": "1.4.2"}); err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page))
	fmt.Println(err)
	// Output:
	// # HELP build_info What runs here.
	// # TYPE build_info gauge
	// build_info{version="1.4.2"} 1.0
	// <nil>
}

// How do I show which of several states something is in?
func ExampleNewEnum() {
	reg := telltale.NewRegistry()
	task, err := telltale.NewEnum("task_state", "What the task does.", []string{"starting", "running"}, telltale.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = errors.Join(task.Set("running"), task.Set("flying"))
	fmt.Println(err != nil) // "flying" is none of the states
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page))
	fmt.Println(err)
	// Output:
	// true
	// # HELP task_state What the task does.
	// # TYPE task_state gauge
	// task_state{task_state="starting"} 0.0
	// task_state{task_state="running"} 1.0
	// <nil>
}
