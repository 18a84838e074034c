package multiprocess_test

import (
	"fmt"
	"log"
	"os"

	"telltale"
	"telltale/multiprocess"
)

// How do I make one page of what several processes count?
//
// Each process opens the same directory and gives the store to its registry. Any
// of them may serve the registry: it shows what all have counted, those that have
// ended among them.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "workers") // of all processes; on Linux best below /dev/shm or /run
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is the example's

	worker := func(name string) *telltale.Registry { // what each process does
		store, err := multiprocess.Open(dir, multiprocess.WithWriterName(name))
		if err != nil {
			log.Fatal(err)
		}
		reg := telltale.NewRegistry(telltale.WithStore(store))
		jobs := telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg)))
		busy := telltale.Must(telltale.NewGauge("busy", "Whether a worker is at work.", telltale.In(reg),
			telltale.WithGaugeMode(telltale.ModeLiveAll)))
		jobs.Add(2)
		busy.Set(1)
		return reg
	}
	worker("a")
	reg := worker("b")

	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(page))
	// Output:
	// # HELP busy Whether a worker is at work.
	// # TYPE busy gauge
	// busy{pid="a"} 1.0
	// busy{pid="b"} 1.0
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total 4.0
}
