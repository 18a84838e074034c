package traceparent

import "encoding/hex"

// Sampled returns trace and span of a traceparent header that says that the trace is
// sampled, as the labels trace_id and span_id of an exemplar, and nil otherwise (W3C
// Trace Context, section "traceparent Header"). values are those that the request has:
// of several, none counts.
func Sampled(values []string) map[string]string {
	if len(values) != 1 {
		return nil
	}
	header := values[0]
	const (
		version, trace, span, flags = 0, 3, 36, 53 // where the fields begin
		length                      = 55
	)
	if len(header) < length || header[trace-1] != '-' || header[span-1] != '-' || header[flags-1] != '-' {
		return nil
	}
	v, ok := lowerHex(header[version : trace-1])
	if !ok || v[0] == 0xff || v[0] == 0 && len(header) != length || len(header) > length && header[length] != '-' {
		return nil
	}
	f, ok := lowerHex(header[flags:length])
	if !ok || f[0]&1 == 0 {
		return nil
	}
	for _, id := range []string{header[trace : span-1], header[span : flags-1]} {
		if b, ok := lowerHex(id); !ok || allZero(b) {
			return nil
		}
	}
	return map[string]string{"trace_id": header[trace : span-1], "span_id": header[span : flags-1]}
}

// lowerHex decodes hexadecimal digits in lower case.
func lowerHex(s string) ([]byte, bool) {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'F' {
			return nil, false
		}
	}
	b, err := hex.DecodeString(s)
	return b, err == nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
