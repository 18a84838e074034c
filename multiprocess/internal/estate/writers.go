package estate

// Began says when the writer began whose own series these are, by a clock that is the
// same for all writers.
func (e *Estate) Began(start int64) {
	for i := range e.Series {
		if e.Series[i].Process != "" {
			e.Series[i].Start = start
		}
	}
}

// Unname marks all that a writer or an archive without an epoch leaves: an archive of
// an epoch keeps it, and does not count it.
func (e *Estate) Unname() {
	for i := range e.Families {
		e.Families[i].NoEpoch = true
	}
}

// KeepUnnamed drops what an archive has of its own epoch, which is over.
func (e *Estate) KeepUnnamed() {
	kept := 0
	for i, n := range e.Of {
		if e.Families[n].NoEpoch {
			e.Series[kept], e.Of[kept] = e.Series[i], n
			kept++
		}
	}
	e.Series, e.Of = e.Series[:kept], e.Of[:kept]
}
