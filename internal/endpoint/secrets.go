package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"reflect"
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
		if unescaped, err := url.QueryUnescape(password); err == nil { // as OAuth 2.0 has it
			all = append(all, unescaped)
		}
	}
	return all
}

// quotedRequest returns the request whose answer an error quotes, nil if there is none.
// The error has the answer as a field of the name Response: that of
// golang.org/x/oauth2, for the server of tokens that a client asks by itself, does.
func quotedRequest(err error) *http.Request {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() != reflect.Struct {
			continue
		}
		field, ok := v.Type().FieldByName("Response")
		if !ok || len(field.Index) != 1 || !field.IsExported() {
			continue
		}
		if answer, ok := v.Field(field.Index[0]).Interface().(*http.Response); ok && answer != nil {
			return answer.Request
		}
	}
	return nil
}

// public are fields of a request for a token that are no secrets (RFC 6749).
var public = []string{"client_id", "grant_type", "scope"}

// and returns the secrets with those of a request that is for a token, if there is one:
// its credentials, and the values of its form.
func (s secrets) and(r *http.Request) secrets {
	if r == nil {
		return s
	}
	all := (&sent{values: r.Header}).secrets(s, nil)
	if r.GetBody == nil {
		return all
	}
	body, err := r.GetBody()
	if err != nil {
		return all
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(io.LimitReader(body, longestForm))
	if err != nil {
		return all
	}
	form, _ := url.ParseQuery(string(text)) // the pairs that it can read
	for name, values := range form {
		if slices.Contains(public, name) {
			continue
		}
		for _, value := range values {
			all.add(value, url.QueryEscape(value))
		}
	}
	return all
}

// longestForm bounds what is read of a request for a token.
const longestForm = 64 << 10
