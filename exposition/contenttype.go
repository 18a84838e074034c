package exposition

// FormatOf returns the format that a Content-Type header names (RFC 9110,
// section 8.3), or false if the header names no known format. A version newer
// than those known is read as the newest known version below it.
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
