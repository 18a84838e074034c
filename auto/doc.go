// Package auto makes instruments for the variables of a package: its functions
// and the methods of a [Factory] return the instrument alone and panic where the
// constructors of package telltale return an error.
//
//	var requests = auto.CounterVec("http_requests", "Requests served.", []string{"method"})
//
// The functions register with [telltale.Default]. [In] returns a factory for
// another registry, or for options that many instruments share:
//
//	m := auto.In(reg, telltale.WithNamespace("shop"))
//	orders := m.Counter("orders", "Orders placed.")
//	latency := auto.HistogramOf[call](m, "latency_seconds", "Latency.")
//
// A panic carries an error: the file and line of the call, and what is wrong
// with the definition, such as the other instrument that has the name. As with
// the constructors, a second call with the same definition returns the same
// instrument.
package auto
