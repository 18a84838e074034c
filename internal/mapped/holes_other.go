//go:build unix && !darwin && !freebsd && !linux

package mapped

// This system does not tell where a file has holes.
const (
	seekData = -1
	seekHole = -1
)
