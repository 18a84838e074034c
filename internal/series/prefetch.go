//go:build amd64 || arm64

package series

import "unsafe"

// The functions below ask the processor to fetch lines into its cache, and do not wait
// for them. A load would not do: processors finish instructions in order, so the walk
// would wait for the line. Any address is allowed, nil too.

// prefetchSlab fetches the 512 bytes from start on, which are a slab of counters or
// gauges. The loop over the cache lines is unrolled: with a loop, a scrape gains half
// as much.
//
//go:noescape
func prefetchSlab(start unsafe.Pointer)

// prefetchLines fetches the cache lines at n addresses, which are in the array that
// begins at lines.
//
//go:noescape
func prefetchLines(lines *unsafe.Pointer, n int)
