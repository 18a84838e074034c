package telltale

// Labels given by the fields of a struct.

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unsafe"
)

// Of is an instrument whose labels are the fields of the struct L, so that the
// compiler checks their number, names and types. [CounterOf], [GaugeOf] and so on
// are its types for each kind of instrument. Fields are strings, integers or
// bools; the tag label:"code" names a label, without it "StatusCode" becomes
// "status_code", and label:"-" leaves a field out. All methods are safe for
// concurrent use.
//
// A handle that With returned can be kept, which saves the lookup. Updates through
// it are lost once its series has been removed. The zero Of has no series, and its
// With returns zero handles.
type Of[L comparable, H any] struct {
	labelled[H]
	fields  []labelField
	strings bool // whether the fields are strings side by side
}

// labelField says where a label's value lies in a struct, found once by
// reflection so that lookups need none.
type labelField struct {
	offset uintptr
	size   uintptr
	kind   labelKind
}

type labelKind uint8

const (
	stringLabel labelKind = iota
	boolLabel
	intLabel
	uintLabel
)

// labelFields reads the label names and fields of a struct type, and has the settings
// declare the values that the types of fields declare, unless an option did.
func labelFields(t reflect.Type, s *settings) (names []string, fields []labelField, err error) {
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("telltale: the type of labels is %s, not a struct", t)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("label")
		if name == "-" {
			continue
		}
		if !tagged {
			name = snakeCase(f.Name)
		}
		field := labelField{offset: f.Offset, size: f.Type.Size()}
		switch f.Type.Kind() {
		case reflect.String:
			field.kind = stringLabel
		case reflect.Bool:
			field.kind = boolLabel
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			field.kind = intLabel
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			field.kind = uintLabel
		default:
			return nil, nil, fmt.Errorf("telltale: field %s of %s is a %s; labels are strings, integers or bools", f.Name, t, f.Type)
		}
		if _, given := s.declared[name]; !given {
			if v, ok := reflect.New(f.Type).Interface().(LabelValuer); ok {
				s.declare(name, append([]string{}, v.LabelValues()...))
			}
		}
		if field.kind == boolLabel {
			s.bools = append(s.bools, name)
		}
		names, fields = append(names, name), append(fields, field)
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("telltale: %s has no label fields", t)
	}
	return names, fields, nil
}

// sideBySide reports whether all fields are strings that follow each other.
func sideBySide(fields []labelField) bool {
	for i, f := range fields {
		if f.kind != stringLabel || f.offset != fields[0].offset+uintptr(i)*f.size {
			return false
		}
	}
	return true
}

// snakeCase spells a Go name as a label name: "StatusCode" and "HTTPStatus"
// become "status_code" and "http_status".
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '_' &&
			(unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// value reads the label out of the struct at l. What it returns refers to the
// struct or to digits.
func (f labelField) value(l unsafe.Pointer, digits []byte) string {
	at := unsafe.Add(l, f.offset)
	switch f.kind {
	case stringLabel:
		return *(*string)(at)
	case boolLabel:
		if *(*bool)(at) {
			return "true"
		}
		return "false"
	case intLabel:
		digits = strconv.AppendInt(digits, readInt(at, f.size), 10)
	default:
		digits = strconv.AppendUint(digits, uint64(readInt(at, f.size))&(1<<(f.size*8)-1), 10)
	}
	return unsafe.String(unsafe.SliceData(digits), len(digits))
}

// values reads all labels out of a struct.
func (o *Of[L, H]) values(labels *L) []string {
	values := make([]string, len(o.fields))
	for i, f := range o.fields {
		values[i] = f.value(unsafe.Pointer(labels), nil)
	}
	return values
}

func readInt(at unsafe.Pointer, size uintptr) int64 {
	switch size {
	case 1:
		return int64(*(*int8)(at))
	case 2:
		return int64(*(*int16)(at))
	case 4:
		return int64(*(*int32)(at))
	}
	return *(*int64)(at)
}

// With returns the series with the labels, and creates it at its first use.
// [Vec.With] says when it locks or allocates.
func (o *Of[L, H]) With(labels L) *H {
	if o.strings {
		first := (*string)(unsafe.Add(unsafe.Pointer(&labels), o.fields[0].offset))
		return o.table.with(unsafe.Slice(first, len(o.fields)))
	}
	if len(o.fields) > manyLabels {
		return o.table.with(o.values(&labels))
	}
	// Filled here and by index, or the compiler would move them to the heap.
	var values [manyLabels]string
	var digits [manyLabels][20]byte
	for i, f := range o.fields {
		values[i] = f.value(unsafe.Pointer(&labels), digits[i][:0])
	}
	return o.table.with(values[:len(o.fields)])
}

// Init creates the series of the labels, so that they are scraped as zero before
// anything happens.
func (o *Of[L, H]) Init(labels ...L) {
	for _, l := range labels {
		o.table.init(o.values(&l))
	}
}

// Remove takes out the series with the labels and reports whether it was there.
// [Of.With] then creates it anew, from zero.
func (o *Of[L, H]) Remove(labels L) bool {
	return o.table.remove(o.values(&labels))
}

// Replace puts the series that fill creates through next in the place of all
// series of the family, in one step, as [Vec.Replace] does.
func (o *Of[L, H]) Replace(fill func(next *Of[L, H])) {
	o.table.replace(func(next *table[H]) {
		fill(&Of[L, H]{labelled: labelled[H]{table: next}, fields: o.fields, strings: o.strings})
	})
}
