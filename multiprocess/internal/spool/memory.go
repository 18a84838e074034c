package spool

import (
	"os"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// FirstExtent is how large a segment is at first: small, for jobs that live for
// 50 ms.
func FirstExtent() int { return max(16<<10, os.Getpagesize()) }

// WholePages rounds a number of bytes up to pages.
func WholePages(n int64) int64 {
	page := int64(os.Getpagesize())
	return (n + page - 1) / page * page
}

// MemoryOf returns a file as the memory of a segment.
func MemoryOf(file *mapped.Growing) segment.Memory { return &memory{file: file} }

// memory is a segment's memory in a file.
type memory struct {
	file *mapped.Growing
	// The last failure to grow, by how much, and when.
	last error
	by   int
	when time.Time
}

// retryGrowth is how long a file that could not grow by so much is left alone.
const retryGrowth = time.Second

// Extend implements [segment.Memory].
func (m *memory) Extend(offset uint64, n int) ([]byte, error) {
	if m.last != nil && n >= m.by && time.Since(m.when) < retryGrowth {
		return nil, m.last
	}
	b, err := m.file.Extend(int64(offset), n)
	if err != nil {
		m.last, m.by, m.when = err, n, time.Now()
	}
	return b, err
}
