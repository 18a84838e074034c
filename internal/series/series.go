package series

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/model"
)

// Series is the label text and creation time of one series.
type Series struct {
	start   atomic.Pointer[byte] // of the labels' text; nil once the series is removed
	length  uint32               // of the text
	hash    uint32               // see Digest
	widths  uint64               // see Digest; 0 also if the text has escapes
	created atomic.Int64         // see moment; removed or expired when the series is gone
}

// Slot is a series and the handle that users hold of it. For a counter or a
// gauge, whose handle holds its cell, that is a cache line: finding, counting
// and scraping touch no other, and neighbours do not share one.
type Slot[H any] struct {
	Series
	Handle H
}

// text returns the labels' text, which is empty once the series is removed.
func (s *Series) text() string {
	if start := s.start.Load(); start != nil {
		return unsafe.String(start, s.length)
	}
	return ""
}

// Labels returns the labels of the series, none once it is removed. They are
// valid if [Series.Created] still reports true after they were read.
func (s *Series) Labels() model.Labels { return model.LabelsFromText(s.text()) }

// Created returns when the series was created, or false if it was removed.
func (s *Series) Created() (at model.Timestamp, ok bool) {
	moment := s.created.Load()
	return unpack(moment), moment > expired
}

// keep sets the text of the series.
func (s *Series) keep(text string) { s.start.Store(unsafe.StringData(text)) }

// label sets the text of a series that readers do not see yet. The processor waits for
// an atomic store, which is not needed then.
func (s *Series) label(text string) {
	*(*unsafe.Pointer)(unsafe.Pointer(&s.start)) = unsafe.Pointer(unsafe.StringData(text))
}

// date sets the moment in which such a series was created.
func (s *Series) date(moment int64) { *(*int64)(unsafe.Pointer(&s.created)) = moment }

// retire marks the series as removed and releases its text.
func (s *Series) retire() {
	s.created.Store(removed)
	s.start.Store(nil)
}

func (s *Series) alive() bool { return s.created.Load() > expired }

const (
	removed = math.MinInt64
	expired = removed + 1 // which has the bit of away, too
)

// moment packs a time into one word so that reading it back costs a shift:
// seconds above, 30 bits of nanoseconds below.
func moment(t time.Time) int64 { return t.Unix()<<30 | int64(t.Nanosecond()) }

func unpack(moment int64) model.Timestamp {
	return model.Unix(moment>>30, moment&(1<<30-1))
}
