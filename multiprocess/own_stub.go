package multiprocess

import "telltale/multiprocess/internal/segment"

type ownSegment struct {
	name  string
	space segment.Space
}

func newCollector(dir string, s *settings, own func() []ownSegment) *Collector {
	c, _ := NewCollector(dir)
	return c
}
