package telltale_test

import (
	"errors"
	"fmt"

	"telltale"
)

// How do I show the state of each of several things?
func ExampleNewEnumVec() {
	breaker := telltale.Must(telltale.NewEnumVec("breaker", "State of the circuit breaker.", []string{"closed", "open"},
		[]string{"backend"}, telltale.Unregistered()))
	err := errors.Join(breaker.With("mail").Set("open"), breaker.With("search").Set("closed"))
	fmt.Println(err, breaker.With("mail").Value())
	printPage(breaker)
	// Output:
	// <nil> open
	// # HELP breaker State of the circuit breaker.
	// # TYPE breaker gauge
	// breaker{backend="mail",breaker="closed"} 0.0
	// breaker{backend="mail",breaker="open"} 1.0
	// breaker{backend="search",breaker="closed"} 1.0
	// breaker{backend="search",breaker="open"} 0.0
}

// The labels are the fields of a struct, which the compiler checks.
func ExampleNewEnumOf() {
	type node struct{ Zone, Name string }
	health := telltale.Must(telltale.NewEnumOf[node]("node_health", "Health of the node.", []string{"up", "down"}, telltale.Unregistered()))
	fmt.Println(health.With(node{Zone: "a", Name: "n1"}).Set("down"))
	printPage(health)
	// Output:
	// <nil>
	// # HELP node_health Health of the node.
	// # TYPE node_health gauge
	// node_health{zone="a",name="n1",node_health="up"} 0.0
	// node_health{zone="a",name="n1",node_health="down"} 1.0
}

// How do I describe each of several things by labels that may change?
func ExampleNewInfoVec() {
	models := telltale.Must(telltale.NewInfoVec("disk", "What the disk is.", []string{"device"}, telltale.Unregistered()))
	err := errors.Join(
		models.With("sda").Set(map[string]string{"model": "A1", "firmware": "7"}),
		models.With("sdb").Set(map[string]string{"model": "B2"}),
		models.With("sdb").Set(map[string]string{"model": "B2", "firmware": "9"}), // replaces what was there
	)
	fmt.Println(err)
	printPage(models)
	// Output:
	// <nil>
	// # HELP disk_info What the disk is.
	// # TYPE disk_info gauge
	// disk_info{device="sda",firmware="7",model="A1"} 1.0
	// disk_info{device="sdb",firmware="9",model="B2"} 1.0
}

// The labels of the series are the fields of a struct, and those of Set are further ones.
func ExampleNewInfoOf() {
	type plugin struct{ Name string }
	plugins := telltale.Must(telltale.NewInfoOf[plugin]("plugin", "What is loaded.", telltale.Unregistered()))
	fmt.Println(plugins.With(plugin{"gzip"}).Set(map[string]string{"version": "1.2"}))
	printPage(plugins)
	// Output:
	// <nil>
	// # HELP plugin_info What is loaded.
	// # TYPE plugin_info gauge
	// plugin_info{name="gzip",version="1.2"} 1.0
}
