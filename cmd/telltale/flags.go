package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"telltale/exposition"
	"telltale/model"
)

// Types of flags and arguments of several verbs. They parse themselves, so that
// an invalid value is wrong usage and reported with the flag's name.

// address is a TCP address to listen on.
type address string

// UnmarshalText is called by kong.
func (a *address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err == nil {
		if _, wrong := net.LookupPort("tcp", port); wrong != nil {
			err = fmt.Errorf("address %s: %q is not a port from 0 to %d", text, port, math.MaxUint16)
		}
	}
	if err != nil {
		return fmt.Errorf("%w; it should look like 127.0.0.1:9464 or :9464", err)
	}
	*a = address(text)
	return nil
}

// operand is the name of a file or a directory.
type operand string

// UnmarshalText is called by kong.
func (o *operand) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("the name of a file or a directory is empty")
	}
	*o = operand(text)
	return nil
}

// word is text that is not empty.
type word string

// UnmarshalText is called by kong.
func (w *word) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("it is empty")
	}
	*w = word(text)
	return nil
}

// span is a duration of 0 or more.
type span time.Duration

// UnmarshalText is called by kong.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a duration; it should look like 10m or 1h30m", text)
	case d < 0:
		return fmt.Errorf("%v is negative; it should be 0 or more, such as 10m or 1h30m", d)
	}
	*s = span(d)
	return nil
}

// most is the largest number of something at once, 0 for no limit.
type most int

// UnmarshalText is called by kong.
func (m *most) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number from 0, which is for no limit, to %d", text, math.MaxInt)
	}
	*m = most(n)
	return nil
}

// namedFormat is a format to write, with the name it has on the command line.
type namedFormat struct {
	name string
	exposition.Format
}

// writable lists the formats that can be written. Formats that can hold any name
// keep names unchanged.
var writable = []namedFormat{
	{inText, exposition.Text004},
	{inText1, exposition.Text100.WithEscaping(model.AllowUTF8)},
	{"openmetrics", exposition.OpenMetrics1},
	{"openmetrics2", exposition.OpenMetrics2},
	{inProtobuf, exposition.Protobuf.WithEscaping(model.AllowUTF8)},
}

// UnmarshalText is called by kong.
func (f *namedFormat) UnmarshalText(text []byte) error {
	for _, known := range writable {
		if known.name == string(text) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("there is no format %q to write; use %s", text, writableNames())
}

// writableNames is the list for messages and help: "a, b or c".
func writableNames() string {
	var names []string
	for _, f := range writable {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
