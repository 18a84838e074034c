package otlp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/columns"
	"telltale/internal/otelform"
)

// The numbers of the fields of opentelemetry.proto.common.v1.
const (
	keyValueKey   protowire.Number = 1
	keyValueValue protowire.Number = 2
	anyString     protowire.Number = 1

	scopeName       protowire.Number = 1
	scopeVersion    protowire.Number = 2
	scopeAttributes protowire.Number = 3
)

// attributes are those of the present series, read from the text of its labels. Labels
// without a value are none.
type attributes struct {
	columns columns.Columns
	keys    []key // by column
	scoped  bool  // some columns are of the scope
	wrong   error // why series with these labels cannot be sent
	values  []string
	head    []byte // see scope
	inner   []byte
}

// key is the name of an attribute.
type key struct {
	field []byte // in a KeyValue
	scope string // the name after the prefix of scopes, or ""
}

var errText = errors.New("the text of its labels is damaged")

// read reads the text of labels, and reports whether they can be attributes.
func (a *attributes) read(text string) bool {
	var same bool
	if a.values, same = a.columns.Read(text, a.values); !same {
		a.set(text)
		if a.values, same = a.columns.Read(text, a.values); !same {
			a.wrong = errText
		}
	}
	return a.wrong == nil
}

// unfit returns why labels cannot be attributes.
func (a *attributes) unfit() error { return a.wrong }

// set takes over the names of labels.
func (a *attributes) set(text string) {
	a.columns.Set(text)
	a.keys, a.scoped, a.wrong = a.keys[:0], false, nil
	names := a.columns.Names()
	for i, name := range names {
		k := key{field: appendString(nil, keyValueKey, name)}
		if scope, ok := strings.CutPrefix(name, otelform.ScopePrefix); ok && scope != "" {
			k.scope, a.scoped = scope, true
		}
		a.keys = append(a.keys, k)
		if slices.Contains(names[:i], name) {
			a.wrong = fmt.Errorf("it has the label %q twice", name)
		}
		if name == nameLabel {
			a.wrong = fmt.Errorf("it has the label %q", name)
		}
	}
}

const nameLabel = "__name__"

// lacks returns an error if there is an attribute of the name.
func (a *attributes) lacks(name string) error {
	if slices.Contains(a.columns.Names(), name) {
		return fmt.Errorf("it has the label %q twice", name)
	}
	return nil
}

// append appends the attributes as fields of a data point.
func (a *attributes) append(dst []byte, n protowire.Number) []byte {
	for i, value := range a.values {
		k := &a.keys[i]
		if value == "" || k.scope != "" {
			continue
		}
		if len(k.field)+len(value) < 0x7a { // all lengths take a byte
			dst = append(dst, byte(n<<3|2), byte(len(k.field)+len(value)+4))
			dst = append(dst, k.field...)
			dst = append(dst, byte(keyValueValue<<3|2), byte(len(value)+2), byte(anyString<<3|2), byte(len(value)))
			dst = append(dst, value...)
			continue
		}
		dst = appendKeyValue(dst, n, k.field, value)
	}
	return dst
}

// appendKeyValue appends an attribute whose key is a field already.
func appendKeyValue(dst []byte, n protowire.Number, key []byte, value string) []byte {
	whole := 1 + protowire.SizeBytes(len(value)) // the AnyValue
	dst = protowire.AppendVarint(append(dst, byte(n<<3|2)), uint64(len(key)+1+protowire.SizeBytes(whole)))
	dst = append(dst, key...)
	dst = protowire.AppendVarint(append(dst, byte(keyValueValue<<3|2)), uint64(whole))
	return appendString(dst, anyString, value)
}

// appendAttribute appends an attribute.
func appendAttribute(dst []byte, n protowire.Number, name, value string) []byte {
	whole := 1 + protowire.SizeBytes(len(value)) // the AnyValue
	dst = protowire.AppendVarint(append(dst, byte(n<<3|2)), uint64(sizeOfKeyValue(name, value)))
	dst = appendString(dst, keyValueKey, name)
	dst = protowire.AppendVarint(append(dst, byte(keyValueValue<<3|2)), uint64(whole))
	return appendString(dst, anyString, value)
}

func sizeOfKeyValue(name, value string) int {
	return 1 + protowire.SizeBytes(len(name)) + 1 + protowire.SizeBytes(1+protowire.SizeBytes(len(value)))
}

// sizeOfAttribute returns how many bytes appendAttribute appends.
func sizeOfAttribute(name, value string) int {
	return 1 + protowire.SizeBytes(sizeOfKeyValue(name, value))
}

// scope returns the scope that the labels name, as fields of a ScopeMetrics, until the
// next call; nil for [ScopeName].
func (a *attributes) scope() []byte {
	if !a.scoped {
		return nil
	}
	var name, version, schema string
	own := true
	inner := a.inner[:0]
	for i, value := range a.values {
		k := &a.keys[i]
		if k.scope == "" || value == "" {
			continue
		}
		own = false
		switch k.scope {
		case "name":
			name = value
		case "version":
			version = value
		case "schema_url":
			schema = value
		default:
			inner = appendAttribute(inner, scopeAttributes, k.scope, value)
		}
	}
	if own {
		return nil
	}
	if name != "" {
		inner = appendString(inner, scopeName, name)
	}
	if version != "" {
		inner = appendString(inner, scopeVersion, version)
	}
	a.inner = inner
	a.head = appendMessage(a.head[:0], scopeMetricsScope, inner)
	if schema != "" {
		a.head = appendString(a.head, scopeMetricsSchema, schema)
	}
	return a.head
}
