//go:build !linux

package store

import (
	"os"

	"telltale/multiprocess/internal/segment"
)

// identity says who this process is, as far as the system tells.
func identity() segment.Header {
	return segment.Header{PID: uint64(os.Getpid()), Host: hostName()}
}
