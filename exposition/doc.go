// Package exposition joins the wire formats of metrics. A [Format] says which
// of them, in which version and under which escaping scheme; [Negotiate] finds
// it in an HTTP Accept header; [NewEncoder] writes it, [NewParser] reads it. Each
// format has a package of its own, with readers of single lines too, and those
// know nothing of each other.
package exposition
