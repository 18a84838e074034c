package onepage_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"telltale/cmd/telltale/internal/onepage"
	"telltale/exposition"
	"telltale/model"
)

// Whatever two targets send, their pages become one that can be written.
func FuzzPages(f *testing.F) {
	f.Add([]byte("# TYPE a counter\na_total 1\n# EOF\n"), []byte("# TYPE a_total counter\na_total 2\n"), uint8(0))
	f.Add([]byte(histogram("1", "1", "1", "+Inf", "2")), []byte(histogram("2", "2", "1", "+Inf", "2")), uint8(1))
	f.Add([]byte("# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"0\"} 3\nh 1\n"), []byte("# TYPE h summary\nh{quantile=\"0.5\",instance=\"x\"} NaN\nh_sum 1\n"), uint8(2))
	f.Add([]byte("\x0d\x0a\x01a\x18\x01\x22\x06\x12\x04\x09\x00\x00\x00"), []byte(""), uint8(3))
	f.Fuzz(func(t *testing.T, one, two []byte, format uint8) {
		formats := []exposition.Format{exposition.OpenMetrics1, exposition.Text004, exposition.OpenMetrics2, exposition.Protobuf}
		chosen := formats[int(format)%len(formats)]
		read := func(name string, content []byte) onepage.Page {
			var opts []exposition.ParserOption
			if chosen != exposition.Protobuf {
				opts = append(opts, exposition.WithLenient())
			}
			p := exposition.NewParser(bytes.NewReader(content), chosen, opts...)
			page := onepage.Page{Target: name, Instance: model.LabelsOf(map[string]string{"instance": name})}
			for {
				family, err := p.Next()
				if err != nil {
					return page
				}
				page.Families = append(page.Families, family)
			}
		}
		write := func(families []*model.Family) {
			e := exposition.NewEncoder(io.Discard, chosen)
			for _, family := range families {
				if err := e.Encode(family); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		tell := func(error) {}
		s := onepage.NewSums(onepage.Limits{Series: 100, TargetSeries: 100, Targets: 1}, func(string) onepage.Mode { return onepage.Sum })
		for i := range 3 {
			pages := []onepage.Page{read("one", one), read("two", two)}
			if i == 1 {
				pages[0].Target, pages[1].Target = "two", "one"
			}
			write(s.Update(pages, time.Unix(int64(i), 0), tell))
		}
		write(onepage.Join([]onepage.Page{read("one", one), read("two", two)}, tell))
	})
}
