// Package exposition joins the wire formats of metrics. A [Format] says which
// of them, in which version and under which escaping scheme; [Negotiate] finds
// it in an HTTP Accept header; [NewEncoder] writes it. Each format has a package
// of its own, and those know nothing of each other.
package exposition
