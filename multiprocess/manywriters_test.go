//go:build unix

package multiprocess_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"telltale/internal/mapped"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// manyDead puts the segments of so many dead writers there.
func manyDead(t *testing.T, dir string, n int, header func(i int) segment.Header) {
	t.Helper()
	for i := range n {
		begin(t, dir, header(i)).die()
	}
}

// Of very many writers a process that begins looks at some, and finds the directory of
// another service all the same.
func TestOpenBesideVeryManyWriters(t *testing.T) {
	const many, looked = 700, 300
	for _, tt := range []struct {
		name, service string
		live          string // service of a live writer; empty for none
		err           bool
		most          int64 // files that are opened twice at most, once before and once after the segment can be seen
	}{
		{"of no service", "", "shop", false, looked},
		{"of the service of a live writer", "shop", "shop", false, 2*many + looked},
		{"of another service", "bank", "shop", true, many + looked},
		{"of the only service", "shop", "", false, 2*many + looked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := sharedDir(t)
			manyDead(t, dir, many, func(int) segment.Header { return segment.Header{} })
			if tt.live != "" {
				begin(t, dir, segment.Header{Service: tt.live})
			}
			var opened atomic.Int64
			hook := func(op mapped.Op, name string, n int64) (int64, error) {
				if op == mapped.OpOpen && strings.HasSuffix(name, ".seg") {
					opened.Add(1)
				}
				return n, nil
			}
			opts := []multiprocess.StoreOption{multiprocess.WithoutFolding(), multiprocess.WithFiles(hook)}
			if tt.service != "" {
				opts = append(opts, multiprocess.WithService(tt.service))
			}
			store, err := multiprocess.Open(dir, opts...)
			if (err != nil) != tt.err || tt.err && !strings.Contains(err.Error(), `service "shop"`) {
				t.Error(err)
			}
			if n := opened.Load(); n > tt.most {
				t.Errorf("%d files were opened, of at most %d", n, tt.most)
			}
			if err == nil {
				_ = store.Close()
			}
		})
	}
}

// Beside very many writers of its service, a process that begins looks at some.
func TestOpenBesideVeryManyOfTheService(t *testing.T) {
	const many, live, looked = 500, 100, 300
	dir := sharedDir(t)
	manyDead(t, dir, many, func(int) segment.Header { return segment.Header{Service: "shop"} })
	for range live { // of each 256 one is among these but for chances that are not worth a word
		begin(t, dir, segment.Header{Service: "shop"})
	}
	opened := 0
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding(), multiprocess.WithService("shop"), multiprocess.WithFiles(func(op mapped.Op, name string, n int64) (int64, error) {
		if op == mapped.OpOpen && strings.HasSuffix(name, ".seg") {
			opened++
		}
		return n, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil || opened > 2*looked {
		t.Errorf("%d files were opened, of at most %d, %v", opened, 2*looked, err)
	}
}

// An epoch that is over does not begin anew because a process of it begins that has not
// looked at the writer that had it first.
func TestEpochOfVeryManyWriters(t *testing.T) {
	const many = 700
	dir := sharedDir(t)
	manyDead(t, dir, many, func(i int) segment.Header {
		first := int64(20)
		if i == many/2 {
			first = 1
		}
		return segment.Header{Epoch: "v1", Start: first, EpochFirst: segment.Moment{Wall: first}}
	})
	count(begin(t, dir, segment.Header{Epoch: "v2", Start: 10, EpochFirst: segment.Moment{Wall: 10}}), "", 2)
	old := openStore(t, dir, multiprocess.WithEpoch("v1"), multiprocess.WithoutFolding())
	for range 2 {
		c := collector(t, dir)
		if page := samples(collect(t, c)); len(page) != 1 || page[0] != "c_total{} 2.0" || c.Stats().Epoch != "v2" {
			t.Errorf("epoch %q, %q", c.Stats().Epoch, page)
		}
		fold(t, dir)
	}
	_ = old
}

// Where there are very many writers, the number of dead ones among them is an estimate.
func TestDeadOfVeryManyWriters(t *testing.T) {
	const many, live = 700, 100
	dir := sharedDir(t)
	manyDead(t, dir, many, func(int) segment.Header { return segment.Header{} })
	d, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if dead, writers, err := d.CountDead(spool.Name{}); dead != many || writers != many || err != nil {
		t.Errorf("%d of %d, %v", dead, writers, err)
	}
	for range live {
		begin(t, dir, segment.Header{})
	}
	if dead, writers, err := d.CountDead(spool.Name{}); dead < many/2 || dead > many+live || writers != many+live || err != nil {
		t.Errorf("%d of %d, %v", dead, writers, err)
	}
}
