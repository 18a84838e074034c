package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// secrets are texts that are not told, the longest first: a shorter one may be a part of
// them.
type secrets []string

// instead stands where a secret was.
const instead = "<secret>"

// add adds texts, also as errors quote them. It does not change those that were copied
// before.
func (s *secrets) add(texts ...string) {
	all := slices.Clone(*s)
	for _, text := range texts {
		if text == "" {
			continue
		}
		all = append(all, text)
		if quoted := strconv.Quote(text); quoted[1:len(quoted)-1] != text {
			all = append(all, quoted[1:len(quoted)-1])
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	*s = all
}

// redacted returns text without the secrets.
func (s secrets) redacted(text string) string {
	if len(s) == 0 {
		return text
	}
	pairs := make([]string, 0, 2*len(s))
	for _, secret := range s {
		pairs = append(pairs, secret, instead)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// withoutPart returns text that was cut off without the beginning of a secret at its end.
func (s secrets) withoutPart(text []byte) []byte {
	for _, secret := range s {
		for n := min(len(secret)-1, len(text)); n > 0; n-- {
			if bytes.HasSuffix(text, []byte(secret[:n])) {
				text = text[:len(text)-n]
				break
			}
		}
	}
	return text
}

// sent notes the headers that a client has written, in which credentials of its own may
// be: those of its file of settings, or of a transport around another.
type sent struct {
	mu     sync.Mutex
	values map[string][]string
}

// watch returns a context for a request whose headers are noted.
func (s *sent) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.values == nil {
			s.values = make(map[string][]string)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		s.values[name] = append(s.values[name], values...)
	}})
}

// known are the headers whose values are no secrets.
var known = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Transfer-Encoding", "User-Agent",
}

// secrets returns those of a request that are in headers, besides those that are known.
func (s *sent) secrets(all secrets, own http.Header) secrets {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, values := range s.values {
		switch {
		case slices.Contains(known, name), strings.HasPrefix(name, ":"), own[name] != nil:
		case name == "Authorization" || name == "Proxy-Authorization":
			for _, value := range values {
				all.add(credentials(value)...)
			}
		default:
			all.add(values...)
		}
	}
	return all
}

// credentials returns what is secret of the value of a header of authorization.
func credentials(value string) []string {
	scheme, text, found := strings.Cut(value, " ")
	if !found {
		return []string{value}
	}
	all := []string{text}
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil && strings.EqualFold(scheme, "Basic") {
		_, password, _ := strings.Cut(string(plain), ":")
		all = append(all, password)
	}
	return all
}
