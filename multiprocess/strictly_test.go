package multiprocess_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// pageFormats are the formats in which a page is written and read.
var pageFormats = []exposition.Format{
	exposition.Text004, exposition.Text100, exposition.OpenMetrics1, exposition.OpenMetrics2, exposition.Protobuf,
	exposition.Text100.WithEscaping(model.AllowUTF8), exposition.OpenMetrics1.WithEscaping(model.AllowUTF8), exposition.Protobuf.WithEscaping(model.AllowUTF8),
}

// strictlyRead writes families in all formats, and has the strict parser of each read them.
func strictlyRead(t *testing.T, families []*model.Family) {
	t.Helper()
	for _, format := range pageFormats {
		var page bytes.Buffer
		reserved := false
		e := exposition.NewEncoder(&page, format, exposition.WithDropped(func(d exposition.Drop) {
			reserved = reserved || d.Reason == exposition.ReservedLabel
		}))
		for _, f := range families {
			if err := e.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		p := exposition.NewParser(bytes.NewReader(page.Bytes()), format)
		for {
			_, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if !reserved {
					t.Errorf("%s: %v in\n%s", format.ContentType(), err, page.String())
				}
				break
			}
		}
	}
}
