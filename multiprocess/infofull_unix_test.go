//go:build unix

package multiprocess_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale"
	"telltale/internal/mapped"
	"telltale/multiprocess"
)

// Where the disk is full the error hook is told once that labels of an info are not shown,
// however often they are set, and again once they were.
func TestInfoOnAFullDisk(t *testing.T) {
	dir := sharedDir(t)
	var full atomic.Bool
	var told atomic.Int64
	hook := func(op mapped.Op, _ string, n int64) (int64, error) {
		if op == mapped.OpExtend && full.Load() {
			return 0, unix.ENOSPC
		}
		return n, nil
	}
	store := openStore(t, dir, multiprocess.WithoutFolding(), multiprocess.WithFiles(hook), multiprocess.WithErrorHook(func(err error) {
		if strings.Contains(err.Error(), `"i"`) {
			told.Add(1)
		}
	}))
	in := telltale.In(telltale.NewRegistry(telltale.WithStore(store)))
	i := telltale.Must(telltale.NewInfoVec("i", "", []string{"l"}, in))
	filler := telltale.Must(telltale.NewCounterVec("filler", "", []string{"l"}, in))
	set := func(series, value string, labels int) {
		of := make(map[string]string)
		for n := range labels {
			of[fmt.Sprint("label", n)] = value
		}
		if err := i.With(series).Set(of); err != nil {
			t.Fatal(err)
		}
	}
	set("one", "small", 1)
	set("other", "small", 1)
	for round := range 2 {
		full.Store(true)
		for n, spilled := 0, store.Stats().Spilled; store.Stats().Spilled == spilled; n++ {
			filler.With(fmt.Sprint(round, " ", n)).Inc()
		}
		labels := 4 << (2 * round) // for which the room of the last round is too small
		for range 1000 {
			set("one", strings.Repeat("x", 1000), labels)
			set("other", "small", 1)
		}
		soon(t, "it is told", func() bool { return told.Load() > int64(round) })
		if page := pageReader(t, dir)(); !strings.Contains(page, `l="one"`) {
			t.Errorf("in round %d the page has\n%.1000s", round, page)
		}
		full.Store(false)
		want := strings.Repeat("y", 1000)
		soon(t, "there is room", func() bool { // for which the store looks in a second
			set("one", want, labels)
			return strings.Contains(pageReader(t, dir)(), want)
		})
		time.Sleep(10 * time.Millisecond) // for tellings that should not be
		if n := told.Load(); n != int64(round)+1 {
			t.Fatalf("it is told %d times in %d rounds", n, round+1)
		}
	}
}
