//go:build !race || !amd64

package cell

import "sync/atomic"

// Word is eight bytes of a value. It is aligned to eight bytes, on 32-bit
// platforms too.
type Word = atomic.Uint64
