package segment

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/internal/cell"
	"telltale/internal/exact"
	"telltale/internal/mapped"
	"telltale/model"
)

var kills = flag.Int("kills", 200, "how many writers TestKilledWriters kills")

// childFile is the environment variable that makes a process a writer of the
// file that it names, until it is killed.
const childFile = "TELLTALE_TEST_SEGMENT"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if err := writeForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// growing is a file as Memory.
type growing struct{ *mapped.Growing }

func (g growing) Extend(offset uint64, n int) ([]byte, error) {
	return g.Growing.Extend(int64(offset), n)
}

// child is a writer that says on its standard output what it has done: "c 7 3"
// when series 7 has counted to 3, "i 5" when the info is the fifth, "g 5" when the
// gauge is 5, "r 7" when it is about to remove series 7, and "b 9" when it has removed 9 and
// said of 9 others that they were removed.
type child struct {
	w        *Writer
	out      *bufio.Writer
	counters *Rows
	counts   map[int]*cell.Word
	lanes    map[int]*cell.Lanes
	next     int
	gauges   *Rows
	gauge    *cell.Word
	level    cell.Level
	removed  int // series
}

// livingTombs is how many of a child's tombstones are not spent, as it takes it.
const livingTombs = 20

func writeForEver(path string) error {
	g, err := mapped.Create(path, 0o600)
	if err != nil {
		return err
	}
	w, err := NewWriter(growing{g}, os.Getpagesize(), Header{Kind: KindWriter, PID: uint64(os.Getpid())})
	if err != nil {
		return err
	}
	c := &child{w: w, out: bufio.NewWriter(os.Stdout), counts: map[int]*cell.Word{}, lanes: map[int]*cell.Lanes{}}
	infos, err := w.Rows(Family{Name: "i", Type: model.Info, Layout: LayoutInfo})
	if err != nil {
		return err
	}
	info, err := infos.Add(Series{})
	if err != nil {
		return err
	}
	if c.counters, err = w.Rows(counterFamily()); err != nil {
		return err
	}
	if c.gauges, err = w.Rows(gaugeFamily()); err != nil {
		return err
	}
	if c.gauge, err = c.gauges.Add(Series{Labels: `a="1"`}); err != nil {
		return err
	}
	for i := 1; err == nil; i++ {
		if err = infos.SetInfo(info, infoText(i)); err == nil {
			_, _ = fmt.Fprintf(c.out, "i %d\n", i)
			c.raise(i)
			err = c.step()
		}
	}
	return err
}

// infoText returns the labels of the i-th info, of varying length.
func infoText(i int) string { return fmt.Sprintf(`n="%d",pad="%s"`, i, strings.Repeat("x", i%300)) }

// raise brings the gauge from i - 1 to i: by an addition, which goes to lanes at times,
// or by a set.
func (c *child) raise(i int) {
	switch i % 7 {
	case 0:
		cell.SetLevel(c.gauge, float64(i))
	case 3:
		c.level.Spread(c.gauge, levelRoom{c.gauges})
		fallthrough
	default:
		c.level.Add(c.gauge, 1)
	}
	_, _ = fmt.Fprintf(c.out, "g %d\n", i)
}

// step adds a series, counts in all, gives one an exemplar and one lanes, and
// removes one.
func (c *child) step() error {
	c.next++
	first, err := c.counters.Add(Series{Labels: fmt.Sprintf(`id="%d"`, c.next), Created: int64(c.next)})
	if err != nil {
		return err
	}
	c.counts[c.next] = first
	some := 0
	for id, first := range c.counts {
		some = id
		if l := c.lanes[id]; l != nil && c.next%2 == 0 {
			l.Mine().Add(1)
		} else {
			first.Add(1)
		}
		n := first.Load()
		if l := c.lanes[id]; l != nil {
			n += l.Sum(0)
		}
		_, _ = fmt.Fprintf(c.out, "c %d %d\n", id, n)
	}
	e := &model.Exemplar{Labels: model.LabelsFromText(fmt.Sprintf(`id="%d"`, some)), Value: float64(some)}
	if err := c.counters.SetExemplar(c.counts[some], 0, e); err != nil {
		return err
	}
	if c.next%5 == 0 {
		if c.lanes[some], err = c.counters.Lanes(c.counts[some], 2); err != nil {
			return err
		}
	}
	if len(c.counts) > 12 {
		_, _ = fmt.Fprintf(c.out, "r %d\n", some)
		if err := c.out.Flush(); err != nil {
			return err
		}
		c.removed++
		if _, err := c.counters.Bury(c.counts[some], int64(2*c.removed-1)); err != nil {
			return err
		}
		delete(c.counts, some)
		delete(c.lanes, some)
		if c.removed%livingTombs == 0 {
			c.w.Spend(int64(2 * (c.removed - livingTombs)))
		}
		if err := c.w.Bury(stoneOf(c.removed)); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(c.out, "b %d\n", c.removed)
		if c.removed%3 != 0 {
			return nil // what is removed next is beside that on the list
		}
	}
	c.w.Tick()
	return nil
}

// stoneOf returns the n-th tombstone of a child, of varying length.
func stoneOf(n int) Tombstone {
	return Tombstone{Time: int64(2 * n), Type: model.Counter, Name: "c", Labels: []string{fmt.Sprintf(`id="%d",pad="%s"`, n, strings.Repeat("x", n*7%100))}}
}

// told is what a writer had done for sure when it was killed.
type told struct {
	counts  map[string]uint64
	info    int
	gauge   int
	series  []string // that were removed, or were about to be
	removed int
}

// hear takes one line of what the writer says.
func (d *told) hear(line string) {
	words := strings.Fields(line)
	n, _ := strconv.Atoi(words[len(words)-1])
	switch words[0] {
	case "i":
		d.info = n
	case "g":
		d.gauge = n
	case "c":
		d.counts[words[1]] = uint64(n)
	case "r":
		delete(d.counts, words[1])
		d.series = append(d.series, words[1])
	case "b":
		d.removed = n
	}
}

// killOne starts a writer, kills it once it is busy, and returns what it said.
func killOne(t *testing.T, path string) told {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childFile+"="+path)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	done := told{counts: map[string]uint64{}}
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal("it died by itself:", err)
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		time.Sleep(rand.N(4 * time.Millisecond))
		_ = cmd.Process.Kill()
	}()
	for ; err == nil; line, err = out.ReadString('\n') {
		done.hear(line)
	}
	if err != io.EOF { //nolint:errorlint // it is never wrapped
		t.Fatal(err)
	}
	<-killed
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatal("it died by itself:", err)
	}
	return done
}

func TestKilledWriters(t *testing.T) {
	if !mapped.GrowingSupported {
		t.Skip("no files can be written through memory on this system")
	}
	dir := t.TempDir()
	n := *kills
	if testing.Short() {
		n = min(n, 20)
	}
	series := 0
	for i := range n {
		path := filepath.Join(dir, strconv.Itoa(i))
		done := killOne(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkKilled(b, done); err != nil {
			t.Fatalf("writer %d: %v", i, err)
		}
		series += len(done.counts)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if series == 0 {
		t.Error("no writer had done anything")
	}
}

// checkKilled checks that a segment holds at least what its writer said.
func checkKilled(b []byte, done told) (err error) {
	seen := &walk{space: spaceOf(b)}
	if err := seen.next(); err != nil {
		return err
	}
	missing := len(done.counts)
	seen.live(func(f *seenFamily, row *cell.Word, s owner) {
		if f.Layout == LayoutInfo {
			text := f.Info(seen.space, row).Text()
			var i int
			if _, bad := fmt.Sscanf(text, `n="%d"`, &i); bad != nil || i < done.info || text != infoText(i) {
				err = fmt.Errorf("after info %d, this is there: %s", done.info, text)
			}
			return
		}
		if f.Layout == LayoutValue {
			parts, ok := f.Level(seen.space, row, nil)
			if v := exact.Sum(parts); !ok || v < float64(done.gauge) || v != math.Trunc(v) {
				err = fmt.Errorf("after %d the gauge is %v, %v", done.gauge, v, ok)
			}
			return
		}
		id := strings.TrimSuffix(strings.TrimPrefix(s.Labels, `id="`), `"`)
		spread, _ := f.SpreadOf(seen.space, row)
		want, said := done.counts[id]
		if got := f.Layout.Values(row).Load() + spread.Sum(0); got < want {
			err = fmt.Errorf("series %s has %d and counted to %d", id, got, want)
		}
		if said {
			missing--
		}
		if _, created, _ := State(row); strconv.FormatInt(created, 10) != id && id != "1" {
			err = fmt.Errorf("series %s was created at %d", id, created)
		}
		if e := f.Exemplar(seen.space, row, 0); e != nil && (e.Labels.Text() != s.Labels || strconv.FormatFloat(e.Value, 'f', -1, 64) != id) {
			err = fmt.Errorf("series %s has the exemplar %v", id, *e)
		}
	})
	if err == nil && missing > 0 {
		err = fmt.Errorf("%d series are missing", missing)
	}
	if err == nil {
		err = checkTombs(seen.stones, done)
	}
	return err
}

// checkTombs checks that tombstones are there up to one, as far as they were not spent, and
// no others but what was said at last.
func checkTombs(stones []Tombstone, done told) error {
	there := make(map[int64]bool)
	for _, stone := range stones {
		want := stoneOf(int(stone.Time / 2))
		if n := int(stone.Time / 2); stone.Time%2 == 1 && n < len(done.series) {
			want = Tombstone{Time: stone.Time, Type: model.Counter, Name: "c", Labels: []string{fmt.Sprintf(`id="%s"`, done.series[n])}}
		}
		if !reflect.DeepEqual(stone, want) {
			return fmt.Errorf("the tombstone %+v", stone)
		}
		there[stone.Time] = true
	}
	for n := max(1, done.removed-livingTombs+2); n <= done.removed; n++ {
		if !there[int64(2*n)] || !there[int64(2*n-1)] {
			return fmt.Errorf("of %d tombstones that of %d is missing: %v", done.removed, n, there)
		}
	}
	return nil
}
