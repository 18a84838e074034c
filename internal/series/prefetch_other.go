//go:build !amd64 && !arm64

package series

import "unsafe"

// prefetchSlab does nothing: here only the processor itself fetches ahead.
func prefetchSlab(unsafe.Pointer) {}

// prefetchLines does nothing.
func prefetchLines(*unsafe.Pointer, int) {}
