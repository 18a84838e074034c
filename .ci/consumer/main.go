// A program that uses telltale from outside of its tree.
package main

import (
	"fmt"
	"os"

	"telltale"
	"telltale/collectors"
	"telltale/scrapehttp"
)

func main() {
	reg := telltale.NewRegistry()
	if err := collectors.Register(reg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	jobs := telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg)))
	jobs.Inc()
	_ = scrapehttp.Handler(reg)
	if n, ok := reg.SampleValue("jobs_total", nil); !ok || n != 1 {
		fmt.Fprintf(os.Stderr, "jobs_total is %v, %v\n", n, ok)
		os.Exit(1)
	}
	fmt.Println("ok")
}
