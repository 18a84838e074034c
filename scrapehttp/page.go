package scrapehttp

import "io"

// page is the body of one response. The encoder writes chunks to it, which it
// compresses and writes to the wire.
type page struct {
	wire    *wire
	target  io.Writer // the compressor, if there is one, or the wire
	coding  Coding
	zipped  compressor
	started bool  // something was written
	err     error // the first one; later writes return it
}

func newPage(w *wire, coding Coding) *page {
	p := &page{wire: w, target: w, coding: coding}
	if z := coding.borrow(w); z != nil {
		p.zipped, p.target = z, z
	}
	return p
}

// Write compresses and writes a chunk.
func (p *page) Write(chunk []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.started = true
	n, err := p.target.Write(chunk)
	p.err = err
	return n, err
}

// finish writes the rest of the compressor's output.
func (p *page) finish() error {
	if p.err != nil {
		return p.err
	}
	p.started = true // an empty page has a header
	if p.zipped != nil {
		p.err = p.zipped.Close()
	}
	if p.err == nil {
		p.err = p.wire.end()
	}
	return p.err
}

// fail makes all further writes fail, so that an encoder that is closed to free
// its memory does not end the page as if it were whole.
func (p *page) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// release returns the compressor to its pool.
func (p *page) release() {
	p.coding.giveBack(p.zipped)
	p.zipped = nil
}
