//go:build !unix && !windows

package collectors

// processReading is empty: these systems provide no values of processes.
type processReading struct{}

type startTimes struct{}

func (s *processSource) open() (*processReading, error) { return &processReading{}, nil }

func (r *processReading) close() {}

func ownReaders() processReaders { return processReaders{} }

func foreignReaders() processReaders { return processReaders{} }
