package multiprocess

import "telltale/multiprocess/internal/segment"

// NewCollectorWith returns a collector of a directory to which this process
// writes the segments of the names.
func NewCollectorWith(dir string, own func() map[string]segment.Space, opts ...Option) *Collector {
	return newCollector(dir, newSettings(opts), func() (segments []ownSegment) {
		for name, space := range own() {
			segments = append(segments, ownSegment{name, space})
		}
		return segments
	})
}
