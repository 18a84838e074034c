package multiprocess_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

// What a writer has made while it was mapped counts, though it is dead by the time at which
// the mapping is read, as a fold has said that did not come to an end.
func TestWriterGrewAndDiedWhileItWasMapped(t *testing.T) {
	dir := sharedDir(t)
	w := begin(t, dir, segment.Header{})
	rows := w.family(segment.Family{Name: "c", Type: model.Counter, Labels: []string{"l"}})
	var want []string
	add := func(n int) {
		for range n {
			rows.add(fmt.Sprintf(`l="%04d"`, len(want)), 1)
			want = append(want, fmt.Sprintf(`c_total{l="%04d"} 1.0`, len(want)))
		}
	}
	add(1)
	stop := errors.New("it ends here")
	died := false
	c := collector(t, dir, multiprocess.WithoutFolding(), multiprocess.WithFiles(func(op mapped.Op, name string, n int64) (int64, error) {
		if op != mapped.OpMap || died || !strings.HasPrefix(name, "writer-") {
			return n, nil
		}
		died = true
		add(2000)
		w.die()
		_, err := multiprocess.Fold(t.Context(), dir, multiprocess.WithFiles(func(op mapped.Op, name string, n int64) (int64, error) {
			if op == mapped.OpCreate && strings.HasPrefix(name, ".telltale-archive") {
				return 0, stop
			}
			return n, nil
		}))
		if !errors.Is(err, stop) {
			t.Error(err)
		}
		return n, nil
	}))
	for !died {
		if got := samples(collect(t, c)); len(got) != 1 && len(got) != len(want) {
			t.Errorf("while it grew the page has %d series", len(got))
		}
	}
	for range 2 {
		if got := samples(collect(t, c)); len(got) != len(want) {
			t.Errorf("once it is dead the page has %d series, of %d", len(got), len(want))
		}
	}
	fold(t, dir)
	sameSamples(t, "folded", collect(t, c), want)
}
