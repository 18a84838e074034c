package segment

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"telltale/model"
)

var update = flag.Bool("update", false, "rewrite testdata/small.seg and its dump in docs/segment-format.md")

const (
	smallFile  = "testdata/small.seg"
	formatDoc  = "../../../docs/segment-format.md"
	beginsDump = "<!-- testdata/small.seg, kept by TestSmallSegment -->\n```text\n"
	endsDump   = "```\n"
)

// small returns the segment of a process that has counted three jobs.
func small(t *testing.T) []byte {
	t.Helper()
	var id [16]byte
	copy(id[:], "0123456789abcdef")
	w, err := NewWriter(&heap{}, 1024, Header{Kind: KindWriter, ID: id, Start: 1700000000123456789, PID: 4242, Epoch: "blue", Writer: "web-1", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	rows := mustRows(t, w, Family{Name: "jobs", Help: "Jobs done.", Type: model.Counter, Layout: LayoutCounter})
	first := mustAdd(t, rows, Series{Created: 1700000000200000})
	first.Add(3)
	if err := rows.SetExemplar(first, 0, &model.Exemplar{Labels: model.LabelsFromText(`trace_id="7f"`), Value: 1, Timestamp: model.Unix(1700000001, 5)}); err != nil {
		t.Fatal(err)
	}
	return bytesOf(w)
}

// dump shows a segment: its header and each record by itself.
func dump(t *testing.T, b []byte) string {
	t.Helper()
	var out strings.Builder
	lines(&out, b, 0, HeaderSize, "header")
	names := map[recordType]string{familyRecord: "family", blockRecord: "rows", seriesRecord: "series", tableRecord: "table", textRecord: "text"}
	for at := uint64(HeaderSize); at < uint64(len(b)); {
		record, fixed, kind, err := recordAt(spaceOf(b), at, uint64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		end := at + uint64(len(record))
		words := kind.mutable(at, uint64(len(fixed)))
		lines(&out, b, at, end, fmt.Sprintf("%s record: %d bytes, payload of %d, words from %d on", names[kind], len(record), len(fixed), at+words))
		at = end
	}
	return out.String()
}

// lines shows bytes, sixteen a line, and leaves out lines of zeros.
func lines(out *strings.Builder, b []byte, at, end uint64, caption string) {
	fmt.Fprintf(out, "%d: %s\n", at, caption)
	for ; at < end; at += 16 {
		row := b[at:min(at+16, end)]
		if len(bytes.Trim(row, "\x00")) == 0 {
			continue
		}
		text := make([]byte, len(row))
		for i, c := range row {
			if text[i] = c; c < ' ' || c > '~' {
				text[i] = '.'
			}
		}
		fmt.Fprintf(out, "%6d  %-47s  %s\n", at, fmt.Sprintf("% x", row), text)
	}
}

// The segment of the documentation is what is written now, and its dump there is
// right.
func TestSmallSegment(t *testing.T) {
	if order.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the segment is of the other byte order")
	}
	b := small(t)
	doc, err := os.ReadFile(formatDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), beginsDump)
	shown, after, closed := strings.Cut(rest, endsDump)
	if !ok || !closed {
		t.Fatalf("%s has no dump", formatDoc)
	}
	want := dump(t, b)
	if *update {
		if err := os.WriteFile(smallFile, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(formatDoc, []byte(before+beginsDump+want+endsDump+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(smallFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, b) {
		t.Errorf("%s is\n%s\nand is written as\n%s", smallFile, dump(t, file), want)
	}
	if shown != want {
		t.Errorf("%s shows\n%s\nand should show\n%s", formatDoc, shown, want)
	}
}

// What an earlier program of this version wrote is read.
func TestSmallSegmentIsRead(t *testing.T) {
	if order.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the segment is of the other byte order")
	}
	b, err := os.ReadFile(smallFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := &walk{space: spaceOf(b)}
	if err := seen.next(); err != nil {
		t.Fatal(err)
	}
	h := seen.reader.Header()
	f := seen.families[0]
	row := seen.row(f, 0)
	e := f.Exemplar(seen.space, row, 0)
	if h.Writer != "web-1" || h.PID != 4242 || f.Name != "jobs" || f.Layout.Values(row).Load() != 3 || e == nil || e.Labels.Text() != `trace_id="7f"` {
		t.Errorf("header %+v, family %+v, exemplar %v", h, f.Family, e)
	}
}

// The numbers of types are part of the format, wherever they come from.
func TestNumbersOfTypes(t *testing.T) {
	for n, typ := range []model.Type{model.Unknown, model.Counter, model.Gauge, model.Summary,
		model.Histogram, model.GaugeHistogram, model.Info, model.StateSet} {
		if int(typ) != n {
			t.Errorf("%s is %d, in segments %d", typ, typ, n)
		}
	}
}
