package spool_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// usedWord is where a header says how many bytes are published.
const usedWord = 384

// published makes a file of which so many bytes are published, and which has as many more.
func published(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.seg")
	b := make([]byte, 2*n)
	binary.NativeEndian.PutUint64(b[usedWord:], uint64(n))
	b[n-1] = 7
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opener opens a file, or fails.
type opener struct {
	path   string
	opened int
	err    error
}

func (o *opener) Reopen() (*mapped.File, error) {
	if o.opened++; o.err != nil {
		return nil, o.err
	}
	return mapped.Open(o.path, nil)
}

// What is published behind what is mapped is read from the file, which is opened once.
func TestContentsBehindWhatIsMapped(t *testing.T) {
	const used, first = 1 << 16, 1 << 12
	path := published(t, used)
	head := mapped.Aligned(first)
	binary.NativeEndian.PutUint64(head[usedWord:], first)
	from := &opener{path: path}
	c := spool.Contents{Mapped: head, Opener: from}
	if b := c.Bytes(used-8, 8); b != nil || from.opened != 0 {
		t.Errorf("%v of what is not published yet, opened %d times", b, from.opened)
	}
	binary.NativeEndian.PutUint64(head[usedWord:], used)
	for range 3 {
		if b := c.Bytes(used-8, 8); len(b) != 8 || b[7] != 7 || from.opened != 1 {
			t.Errorf("%v, opened %d times", b, from.opened)
		}
	}
	for _, offset := range []uint64{used - 7, used, 1 << 40, 1<<63 - 4, 1<<64 - 8} {
		if b := c.Bytes(offset, 8); b != nil {
			t.Errorf("%v at %d, where nothing is published", b, offset)
		}
	}
	if err := c.Result(nil); err != nil {
		t.Error(err)
	}
	c.Close()

	failed := errors.New("failed")
	c = spool.Contents{Mapped: head, Opener: &opener{err: failed}}
	if b := c.Bytes(used-8, 8); b != nil || !errors.Is(c.Result(segment.ErrShort), failed) {
		t.Errorf("%v, and the reason is %v", b, c.Result(segment.ErrShort))
	}
	if b := c.Bytes(0, 8); b == nil {
		t.Error("what is mapped is not there")
	}
}

// A file that is cut is not taken for one that ends before.
func TestContentsOfACutFile(t *testing.T) {
	path := published(t, 1<<16)
	if err := os.Truncate(path, 1<<15); err != nil {
		t.Fatal(err)
	}
	file, err := mapped.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := spool.Contents{File: file}
	if b := c.Bytes(1<<15, 8); b != nil || spool.ReasonOf(c.Result(nil)) != spool.ReasonTruncated {
		t.Errorf("%v, %v", b, c.Result(nil))
	}
}

// Forged words that lead to the same bytes again and again find an end, and who asks why is
// told.
func TestContentsHaveAnEnd(t *testing.T) {
	const used = 1 << 20
	file, err := mapped.Open(published(t, used), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := spool.Contents{File: file}
	n := 0
	for ; n < 1000 && c.Bytes(0, used) != nil; n++ {
		if err := c.Result(nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Result(nil); n < 8 || n == 1000 || spool.ReasonOf(err) != spool.ReasonCorrupt {
		t.Errorf("after %d times: %v", n, err)
	}
}

// Where the system does not say whether bytes are there that are many, that is the reason why
// they are not given, and not that they are missing.
func TestContentsOfWhichHolesAreNotKnown(t *testing.T) {
	if !mapped.GrowingSupported {
		t.Skip("NOT TESTED: on this system no holes are looked for")
	}
	const used = 17 << 20
	failed := errors.New("failed")
	file, err := mapped.Open(published(t, used), func(op mapped.Op, _ string, n int64) (int64, error) {
		if op == mapped.OpData {
			return 0, failed
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := spool.Contents{File: file}
	if b := c.Bytes(0, used); b != nil || !errors.Is(c.Result(nil), failed) {
		t.Errorf("%d bytes, %v", len(b), c.Result(nil))
	}
	c = spool.Contents{File: file}
	if c.There(0, used) || !errors.Is(c.Result(nil), failed) {
		t.Errorf("they are there, %v", c.Result(nil))
	}
}
