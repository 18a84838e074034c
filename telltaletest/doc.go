// Package telltaletest has what tests of metrics need: the value of a sample and
// what a piece of code adds to it, pages compared with what is expected, golden
// files, a catalogue of all families ([Catalogue]), the buckets of a histogram, lint,
// and [TestCollector], which holds a custom collector to the contract of
// [telltale.Collector].
//
// All functions take a [telltale.Collector]: an instrument, a registry, a view, a
// custom collector, or a page that is served ([FromHandler], [FromURL]).
//
//	func TestOrdersAreCounted(t *testing.T) {
//		n := telltaletest.Delta(t, telltale.Default, "orders_total", map[string]string{"country": "de"}, func() {
//			place(order{Country: "de"})
//		})
//		if n != 1 {
//			t.Errorf("placing an order adds %v to orders_total", n)
//		}
//	}
//
// Names are those of samples as the text format has them ("orders_total",
// "latency_seconds_bucket" with the label le). A collection that fails, or that
// loses something, ends the test.
//
// Functions of the package end a test by [testing.TB.FailNow] where they cannot go
// on, so they belong on its goroutine.
package telltaletest
