package collectors_test

import (
	"expvar"
	"fmt"

	"telltale"
	"telltale/collectors"
	"telltale/model"
)

var cacheHits = expvar.NewMap("example_cache_hits") // which a program has already

// A map of package expvar is a family with a label, here the one of the cache.
func ExampleNewExpvar() {
	cacheHits.Init()
	cacheHits.Add("pages", 3)
	cacheHits.Add("users", 5)

	c, err := collectors.NewExpvar(collectors.Variable{
		Var: "example_cache_hits", Name: "cache_hits_total", Help: "Hits by cache.", Type: model.Counter, Labels: []string{"cache"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := telltale.GenerateLatest(c)
	fmt.Print(string(page), err)
	// Output:
	// # HELP cache_hits_total Hits by cache.
	// # TYPE cache_hits_total counter
	// cache_hits_total{cache="pages"} 3.0
	// cache_hits_total{cache="users"} 5.0
	// <nil>
}
