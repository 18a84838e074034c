package multiprocess_test

import (
	"strconv"
	"strings"
	"testing"

	"telltale"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// A replacement takes the place of what ended processes have left, too, in the same step:
// whenever the process waits meanwhile, for its file to grow, others see all that was there
// before or what is there since. So it is with Clear, behind which there is nothing.
func TestReplacedTogetherWithWhatTheDeadLeft(t *testing.T) {
	for name, change := range map[string]func(*telltale.CounterVec) (series int){
		"Replace": func(c *telltale.CounterVec) int {
			c.Replace(func(next *telltale.CounterVec) { next.With("new").Inc() })
			return 1
		},
		"Clear": func(c *telltale.CounterVec) int { c.Clear(); return 0 },
	} {
		waits := 0
		for own := spool.FirstExtent() / 100; own < spool.FirstExtent()/70; own++ { // each takes about 85 bytes
			waits += changeWhileTheFileGrows(t, name, own, change)
		}
		if waits == 0 {
			t.Errorf("%s: the file never grew meanwhile", name)
		}
	}
}

// changeWhileTheFileGrows changes a family of which the process has some series and a dead
// one another one. It returns how often the file grew meanwhile.
func changeWhileTheFileGrows(t *testing.T, name string, own int, change func(*telltale.CounterVec) (series int)) (waits int) {
	t.Helper()
	dir := sharedDir(t)
	dead := begin(t, dir, segment.Header{})
	dead.family(segment.Family{Name: "c", Type: model.Counter}).add(`l="left"`, 1)
	dead.die()
	changes, pages := false, []int(nil)
	look := func() {
		c := telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithoutFolding()))
		defer c.Close() //nolint:errcheck // it never fails
		n := 0
		for _, line := range samples(collect(t, c)) {
			if strings.HasPrefix(line, "c_total") {
				n++
			}
		}
		pages = append(pages, n)
	}
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding(), multiprocess.WithFiles(func(op mapped.Op, _ string, n int64) (int64, error) {
		if changes && op == mapped.OpExtend {
			look()
		}
		return n, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it folds nothing
	counter := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	for i := range own {
		counter.With(strconv.Itoa(i)).Inc()
	}
	changes = true
	want := change(counter)
	changes = false
	waits = len(pages)
	look()
	for i, n := range pages {
		if n != want && (i == waits || n != own+1) {
			t.Errorf("%s of %d series: page %d of %d has %d, where there were %d and then %d", name, own, i, len(pages), n, own+1, want)
		}
	}
	return waits
}

// Wherever in its reading of files a collection is when series are replaced, and the process
// goes on, it has all that was there before, of the dead too, or what is there since.
func TestReplacedWhileFilesAreRead(t *testing.T) {
	for how, opts := range map[string][]multiprocess.Option{"mapped": nil, "unmapped": {multiprocess.WithMappingLimits(0, 0)}} {
		for _, again := range []bool{false, true} { // the collection is not the first one
			readings := 1
			for at := 1; at <= readings; at++ {
				readings = replaceWhileFilesAreRead(t, at, again, opts)
			}
			if readings < 2 {
				t.Errorf("%s (again %v): a collection reads files %d times", how, again, readings)
			}
		}
	}
}

// replaceWhileFilesAreRead replaces series before a collection reads for the at-th time, and
// returns how often it does.
func replaceWhileFilesAreRead(t *testing.T, at int, again bool, opts []multiprocess.Option) (readings int) {
	t.Helper()
	dir := sharedDir(t)
	dead := begin(t, dir, segment.Header{})
	dead.family(segment.Family{Name: "c", Type: model.Counter}).add(`l="1"`, 1)
	dead.die()
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it folds nothing
	counter := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	counter.With("2").Inc()
	counts := false
	c := collector(t, dir, append([]multiprocess.Option{multiprocess.WithoutFolding(), before(func(int) {
		if !counts {
			return
		}
		if readings++; readings == at {
			counter.Replace(func(next *telltale.CounterVec) { next.With("3").Inc() })
			counter.With("4").Inc() // with which the process says that it lives
		}
	})}, opts...)...)
	series := func() string {
		var found []string
		for _, line := range samples(collect(t, c)) {
			if rest, ok := strings.CutPrefix(line, `c_total{l="`); ok {
				found = append(found, rest[:1])
			}
		}
		return strings.Join(found, " ")
	}
	if again && series() != "1 2" {
		t.Error("at first there are other series than 1 and 2")
	}
	counts = true
	if got := series(); got != "1 2" && got != "3" && got != "3 4" {
		t.Errorf("replaced before reading %d (again %v), the page has the series %s", at, again, got)
	}
	counts = false
	if got := series(); readings >= at && got != "3 4" {
		t.Errorf("replaced before reading %d (again %v), the next page has the series %s", at, again, got)
	}
	return readings
}
