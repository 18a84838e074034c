//go:build !unix && !windows

package collectors

// processReading is nothing: these systems tell a program nothing of processes.
type processReading struct{}

type startTimes struct{}

func (s *processSource) open() (*processReading, error) { return &processReading{}, nil }

func (r *processReading) close() {}

func ownReaders() processReaders { return processReaders{} }

func foreignReaders() processReaders { return processReaders{} }
