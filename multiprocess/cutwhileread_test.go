//go:build unix

package multiprocess_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// Files are cut while they are read from mappings, at any moment: they are left out, and
// the process goes on, under the race detector too.
func TestFilesAreCutWhileTheyAreRead(t *testing.T) {
	dir := sharedDir(t)
	const series = 500
	w := begin(t, dir, segment.Header{})
	r := w.family(segment.Family{Name: "n", Type: model.Counter})
	for i := range series {
		r.add(fmt.Sprintf(`a="%d"`, i), 1)
	}
	w.die()
	var f pythonBytes
	for i := range series {
		f.add(16, counter(fmt.Sprintf(`"i": "%d"`, i)), 1, 0)
	}
	f.write(t, filepath.Join(dir, "counter_1.db"))

	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		stopped <- cutAgainAndAgain(stop, filepath.Join(dir, w.name), filepath.Join(dir, "counter_1.db"))
	}()
	c := collector(t, dir)
	for range 200 {
		n := 0
		err := c.Collect(context.Background(), func(f *model.Family) error {
			for range f.Samples() {
				n++
			}
			return nil
		})
		if n > 2*series || err != nil {
			t.Errorf("%d samples of %d, %v", n, 2*series, err)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// cutAgainAndAgain cuts files to nothing and writes them again, until it is told to stop.
func cutAgainAndAgain(stop <-chan struct{}, paths ...string) error {
	files, contents := make([]*os.File, len(paths)), make([][]byte, len(paths))
	for i, path := range paths {
		var err error
		if contents[i], err = os.ReadFile(path); err != nil {
			return err
		}
		if files[i], err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
			return err
		}
		defer files[i].Close() //nolint:errcheck // it was written to, and nobody reads it any more
	}
	for {
		for i, file := range files {
			select {
			case <-stop:
				return nil
			default:
			}
			if err := file.Truncate(0); err != nil {
				return err
			}
			if _, err := file.WriteAt(contents[i], 0); err != nil {
				return err
			}
		}
	}
}
