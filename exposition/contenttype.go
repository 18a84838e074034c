package exposition

// FormatOf returns the format that a Content-Type header names (RFC 9110,
// section 8.3), and reports false where it names none that there is. A version
// that is newer than those known stands for the newest known below it.
func FormatOf(contentType string) (f Format, ok bool) {
	r, wellFormed := parseRange(contentType)
	if !wellFormed {
		return Text004, false
	}
	best := offer{format: Text004, match: subtype}
	for _, w := range preference {
		if o := w.offered([]mediaRange{r}); o.match > best.match {
			best = o
		}
	}
	return best.format, best.match > subtype
}
