package telltale_test

import (
	"fmt"

	"telltale"
)

// jobs returns a registry with one counter.
func jobs() (*telltale.Registry, error) {
	reg := telltale.NewRegistry()
	done, err := telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg))
	if err == nil {
		done.Inc()
	}
	return reg, err
}

// How do I put a prefix before all names of a collector?
func ExamplePrefixed() {
	reg, err := jobs()
	if err != nil {
		fmt.Println(err)
		return
	}
	shop, err := telltale.Prefixed(reg, "shop_")
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(shop)
	fmt.Print(string(page))
	fmt.Println(err)
	// Output:
	// # HELP shop_jobs_total Jobs done.
	// # TYPE shop_jobs_total counter
	// shop_jobs_total 1.0
	// <nil>
}

// How do I show two of the same kind on one page? Labels tell them apart; families of
// one definition become one.
func ExampleLabelled() {
	merged := make([]telltale.Collector, 0, 2)
	for _, tenant := range []string{"a", "b"} {
		reg, err := jobs()
		if err != nil {
			fmt.Println(err)
			return
		}
		labelled, err := telltale.Labelled(reg, map[string]string{"tenant": tenant})
		if err != nil {
			fmt.Println(err)
			return
		}
		merged = append(merged, labelled)
	}
	both, err := telltale.Merge(merged...)
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(both)
	fmt.Print(string(page))
	fmt.Println(err)
	// Output:
	// # HELP jobs_total Jobs done.
	// # TYPE jobs_total counter
	// jobs_total{tenant="a"} 1.0
	// jobs_total{tenant="b"} 1.0
	// <nil>
}
