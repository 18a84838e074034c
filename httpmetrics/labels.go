package httpmetrics

import (
	"net/http"
	"strconv"
	"strings"
)

// other is the value of a label in place of all that have no series of their own.
const other = "other"

// methodLabel returns the method if it is one of net/http's, else "other": clients
// may send any.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	case "": // of a client's request: GET
		return http.MethodGet
	}
	return other
}

// codes has the label values of status codes from minCode on.
var codes = func() (labels [maxCode - minCode + 1]string) {
	for i := range labels {
		labels[i] = strconv.Itoa(minCode + i)
	}
	return labels
}()

const minCode, maxCode = 100, 599

// codeLabel returns a status code as a label value, "other" if it belongs to none of
// the five classes.
func codeLabel(code int) string {
	if code < minCode || code > maxCode {
		return other
	}
	return codes[code-minCode]
}

// patternRoute returns the path of a mux's pattern, with the host if it has one.
func patternRoute(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}
