//go:build !linux

package multiprocess

import (
	"os"

	"telltale/multiprocess/internal/segment"
)

// identity says who this process is, as far as the system tells.
func identity() segment.Header {
	return segment.Header{PID: uint64(os.Getpid()), Host: hostName()}
}
