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

// known returns a status code that belongs to one of the five classes, or 0.
func known(code int) int {
	if code < 100 || code > 599 {
		return 0
	}
	return code
}

// codeLabel returns a known status code as a label value, "other" for 0.
func codeLabel(code int) string {
	if code == 0 {
		return other
	}
	return strconv.Itoa(code)
}

// patternRoute returns the path of a mux's pattern, with the host if it has one.
func patternRoute(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}
