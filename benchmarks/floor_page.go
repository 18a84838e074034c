package main

import (
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// The floors' scrapes: prepared text, atomic words, and nothing between. What
// they lay out differs by floor; what they write is the same page.

// chunkSize is how much a floor gathers before it writes.
const chunkSize = 32 << 10

// page is one family, laid out to be scraped.
type page interface {
	// appendTo appends the family to buf, writing buf to w whenever it is full.
	appendTo(w io.Writer, buf []byte) ([]byte, error)
}

// drain writes buf once it holds a chunk.
func drain(w io.Writer, buf []byte) ([]byte, error) {
	if len(buf) < chunkSize {
		return buf, nil
	}
	_, err := w.Write(buf)
	return buf[:0], err
}

// appendCount formats a count as telltale does: 42.0
func appendCount(buf []byte, n uint64) []byte {
	return append(strconv.AppendUint(buf, n, 10), '.', '0')
}

// appendSum formats a sum as telltale does, for the range the corpus stays in.
func appendSum(buf []byte, sum float64) []byte {
	if sum == math.Trunc(sum) {
		return append(strconv.AppendInt(buf, int64(sum), 10), '.', '0')
	}
	return strconv.AppendFloat(buf, sum, 'f', -1, 64)
}

func header(name, help, typ string) string {
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + typ + "\n"
}

// appendCell formats a cell of a family of counters, or of floats.
func appendCell(buf []byte, bits uint64, floats bool) []byte {
	if floats {
		return appendSum(buf, math.Float64frombits(bits))
	}
	return appendCount(buf, bits)
}

// plainValues keeps a prefix and a cell for each counter or gauge.
type plainValues struct {
	header string
	series []plainSeries
	floats bool // the cells hold
}

type plainSeries struct {
	prefix string
	cell   *atomic.Uint64
}

func (p *plainValues) appendTo(w io.Writer, buf []byte) ([]byte, error) {
	buf = append(buf, p.header...)
	var err error
	for i := range p.series {
		buf = append(buf, p.series[i].prefix...)
		buf = append(appendCell(buf, p.series[i].cell.Load(), p.floats), '\n')
		if buf, err = drain(w, buf); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// arenaValues keeps all prefixes in one arena beside an array of words.
type arenaValues struct {
	header string
	arena  []byte
	ends   []uint32
	cells  []atomic.Uint64
	floats bool // the cells hold
}

func (p *arenaValues) appendTo(w io.Writer, buf []byte) ([]byte, error) {
	buf = append(buf, p.header...)
	var err error
	start := uint32(0)
	for i, end := range p.ends {
		buf = append(buf, p.arena[start:end]...)
		buf = append(appendCell(buf, p.cells[i].Load(), p.floats), '\n')
		start = end
		if buf, err = drain(w, buf); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// floorHistogram is a classic histogram: a word a bucket, and the sum's bits.
type floorHistogram struct {
	buckets [12]atomic.Uint64
	sum     atomic.Uint64
}

func (h *floorHistogram) observe(v float64) {
	i := 0
	for i < len(bucketBounds) && v > bucketBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	addFloat(&h.sum, v)
}

// histogramPrefixes renders what stands before each value of a histogram, in
// the order buckets, sum, count.
func histogramPrefixes(values labelValues) [samplesPerHistogram]string {
	var prefixes [samplesPerHistogram]string
	for i := range len(bucketBounds) + 1 {
		b := append(appendSeries(nil, histogramName+"_bucket", values), `,le="`...)
		if i < len(bucketBounds) {
			b = appendSum(b, bucketBounds[i])
		} else {
			b = append(b, "+Inf"...)
		}
		prefixes[i] = string(append(b, `"} `...))
	}
	prefixes[samplesPerHistogram-2] = seriesName(histogramName+"_sum", values) + " "
	prefixes[samplesPerHistogram-1] = seriesName(histogramName+"_count", values) + " "
	return prefixes
}

// plainHistograms keeps a prefix for each line of each histogram.
type plainHistograms struct {
	header string
	series []*plainHistogram
}

type plainHistogram struct {
	prefixes [samplesPerHistogram]string
	cells    floorHistogram
}

func (p *plainHistograms) appendTo(w io.Writer, buf []byte) ([]byte, error) {
	buf = append(buf, p.header...)
	var err error
	for _, h := range p.series {
		count := uint64(0)
		for i := range h.cells.buckets {
			count += h.cells.buckets[i].Load()
			buf = append(buf, h.prefixes[i]...)
			buf = append(appendCount(buf, count), '\n')
		}
		buf = append(buf, h.prefixes[samplesPerHistogram-2]...)
		buf = append(appendSum(buf, math.Float64frombits(h.cells.sum.Load())), '\n')
		buf = append(buf, h.prefixes[samplesPerHistogram-1]...)
		buf = append(appendCount(buf, count), '\n')
		if buf, err = drain(w, buf); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// arenaHistograms keeps all prefixes in one arena beside an array of histograms.
type arenaHistograms struct {
	header string
	arena  []byte
	ends   [][samplesPerHistogram]uint32
	cells  []floorHistogram
}

func (p *arenaHistograms) appendTo(w io.Writer, buf []byte) ([]byte, error) {
	buf = append(buf, p.header...)
	var err error
	start := uint32(0)
	for at := range p.cells {
		h, ends := &p.cells[at], &p.ends[at]
		count := uint64(0)
		for i := range h.buckets {
			count += h.buckets[i].Load()
			buf = append(buf, p.arena[start:ends[i]]...)
			buf = append(appendCount(buf, count), '\n')
			start = ends[i]
		}
		buf = append(buf, p.arena[start:ends[samplesPerHistogram-2]]...)
		buf = append(appendSum(buf, math.Float64frombits(h.sum.Load())), '\n')
		buf = append(buf, p.arena[ends[samplesPerHistogram-2]:ends[samplesPerHistogram-1]]...)
		buf = append(appendCount(buf, count), '\n')
		start = ends[samplesPerHistogram-1]
		if buf, err = drain(w, buf); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// pages is a floor's registry: families by name and in order.
type pages struct {
	order  []page
	byName map[string]page
	bufs   sync.Pool // of *[]byte
}

func newPages() *pages { return &pages{byName: make(map[string]page)} }

func (p *pages) add(name string, one page) {
	p.order = append(p.order, one)
	p.byName[name] = one
}

// write scrapes the given families in chunks.
func (p *pages) write(w io.Writer, families ...page) error {
	held, ok := p.bufs.Get().(*[]byte)
	if !ok {
		buf := make([]byte, 0, chunkSize+4<<10)
		held = &buf
	}
	defer p.bufs.Put(held)
	buf := (*held)[:0]
	var err error
	for _, family := range families {
		if buf, err = family.appendTo(w, buf); err != nil {
			return err
		}
	}
	_, err = w.Write(buf)
	*held = buf
	return err
}

// subject offers the pages to be scraped.
func (p *pages) subject() *subject {
	return &subject{
		text:    func(w io.Writer) error { return p.write(w, p.order...) },
		oneName: func(w io.Writer, family string) error { return p.write(w, p.byName[family]) },
		handler: p,
	}
}

// ServeHTTP answers a scrape, compressed by the standard library's fastest gzip
// if the client takes that.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	body := io.Writer(w)
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		zw, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is a constant
		}
		defer func() {
			if err := zw.Close(); err != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		body = zw
	}
	if err := p.write(body, p.order...); err != nil {
		panic(http.ErrAbortHandler) // the client sees a torn body
	}
}
