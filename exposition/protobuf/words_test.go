package protobuf_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"telltale/exposition/protobuf"
	"telltale/model"
)

// Labels and times are written a word at a time where they can be: so each length of
// a name and a value, each place of something that is escaped, and each width of a
// number is read back.
func TestWords(t *testing.T) {
	var labels []model.Labels
	add := func(pairs ...string) {
		var names, values []string
		for i := 0; i < len(pairs); i += 2 {
			names, values = append(names, pairs[i]), append(values, pairs[i+1])
		}
		labels = append(labels, model.LabelPairs(names, values))
	}
	add()
	for _, width := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 63, 64, 100, 126, 127, 128, 129, 300, 20_000} {
		value := strings.Repeat("v", width)
		add("n", value)
		add("n", value, "o", "")
		add("n", "", "method", value, "code", "200")
		add("a"+value, "1", "b"+value, value)
		for at := 0; at <= width && at < 40; at++ {
			for _, escaped := range []string{`"`, `\`, "\n", `\"`, "\x00", "é", "\xa2\xdc"} { // bytes that differ from quotes by one bit, too
				add("n", value[:at]+escaped+value[at:], "m", value)
				add("name.d", value[:at]+escaped+value[at:])
			}
		}
	}
	family := &model.Family{Name: "requests", Type: model.Counter}
	bounds, err := model.NewBounds([]float64{1, 2, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	histogram := &model.Family{Name: "latency", Type: model.Histogram}
	for i, l := range labels {
		width := i % 62
		created := model.Unix(1<<width-1+int64(i%2), 1<<(i%30)-int64(i%3)%2)
		value := float64(uint64(1)<<(i%53) - 1)
		family.Append(model.Point{Labels: l, Has: model.PartTotal, Created: created, Value: value})
		histogram.Append(model.Point{
			Labels: l, Has: model.PartBucket | model.PartCount | model.PartSum, Created: created,
			Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{0, value, value + 1}, Count: value + 1, Sum: value},
		})
	}
	for _, f := range []*model.Family{family, histogram} {
		var page bytes.Buffer
		e := protobuf.NewEncoder(&page, protobuf.WithEscaping(model.AllowUTF8))
		if err := errors.Join(e.Encode(f), e.Close()); err != nil {
			t.Fatal(err)
		}
		want, got := pointsOf(t, f), []string(nil)
		p := protobuf.NewParser(&page)
		for len(got) < len(want) {
			part, err := p.Next()
			if err != nil {
				t.Fatalf("%s: after %d of %d points: %v", f.Name, len(got), len(want), err)
			}
			got = append(got, pointsOf(t, part)...)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: point %d is read as\n%.300s\nwant\n%.300s", f.Name, i, got[i], want[i])
			}
		}
	}
}

func pointsOf(t *testing.T, f *model.Family) (points []string) {
	t.Helper()
	var scratch model.Point
	if err := f.Visit(&scratch, func(p *model.Point) error {
		text := fmt.Sprintf("%q created %s value %v", p.Labels.Text(), p.Created, p.Value)
		if h := p.Histogram; h != nil {
			text += fmt.Sprint(h.Bounds.Upper(), h.Cumulative, h.Count, h.Sum)
		}
		points = append(points, text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return points
}
