package mapped_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/mapped"
)

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *mapped.File {
	t.Helper()
	f, err := mapped.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func TestReadAt(t *testing.T) {
	f := open(t, write(t, "x", []byte("telltale")))
	if info, err := f.Stat(); info.Size != 8 || info.Mode != 0 || err != nil {
		t.Errorf("size %d, mode %v, %v", info.Size, info.Mode, err)
	}
	p := make([]byte, 4)
	if n, err := f.ReadAt(p, 4); n != 4 || err != nil || string(p) != "tale" {
		t.Errorf("read %q, %d, %v", p, n, err)
	}
	if n, err := f.ReadAt(p, 6); n != 2 || err == nil {
		t.Errorf("read past the end: %d, %v", n, err)
	}
}

func TestOpenSaysWhyNot(t *testing.T) {
	if _, err := mapped.Open(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	target := write(t, "x", nil)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	open(t, link)
	if _, err := mapped.Open(filepath.Dir(link), nil); err == nil {
		t.Error("a directory was opened as a file")
	}
}

func TestGuardOutlivesTruncation(t *testing.T) {
	if !mapped.Supported {
		t.Skip("this system has no mappings")
	}
	page := os.Getpagesize()
	path := write(t, "x", make([]byte, 4*page))
	f := open(t, path)
	region, err := f.Map(4 * page)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Unmap()
	sum := 0
	read := func() {
		for _, b := range region.Bytes() {
			sum += int(b)
		}
	}
	if err := region.Guard(read); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(page)); err != nil {
		t.Fatal(err)
	}
	if err := region.Guard(read); !errors.Is(err, mapped.ErrFault) {
		t.Errorf("reading a truncated file: %v", err)
	}
	region.Unmap()
	region.Unmap()
	if region.Len() != 0 {
		t.Error("still mapped")
	}
}

// A file that is cut while it is read or copied is told from one of which fewer bytes came
// for another reason.
func TestFileIsCutWhileItIsReadAndCopied(t *testing.T) {
	if !mapped.Supported {
		t.Skip("this system opens files by other ways")
	}
	const size = 1 << 16
	for name, use := range map[string]func(*mapped.File) error{
		"read": func(f *mapped.File) error {
			_, err := f.ReadAt(make([]byte, size), 0)
			return err
		},
		"copied": func(f *mapped.File) error {
			region, err := f.Copy(size)
			region.Unmap()
			return err
		},
	} {
		for _, length := range []int64{0, 100, 1 << 15} {
			path := write(t, name, make([]byte, size))
			if err := os.Truncate(path, 1<<17); err != nil { // the rest is hole
				t.Fatal(err)
			}
			cut, short := false, false
			f, err := mapped.Open(path, func(op mapped.Op, _ string, n int64) (int64, error) {
				switch {
				case short && op == mapped.OpRead:
					return n / 2, nil
				case cut && (op == mapped.OpRead || op == mapped.OpData):
					if err := os.Truncate(path, length); err != nil {
						t.Error(err)
					}
				}
				return n, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := use(f); errors.Is(err, mapped.ErrHoles) {
				t.Skip("this system does not tell holes apart")
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			short = true
			if err := use(f); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mapped.ErrCut) {
				t.Errorf("%s half: %v", name, err)
			}
			cut, short = true, false
			if err := use(f); !errors.Is(err, mapped.ErrCut) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s while it is cut to %d bytes: %v", name, length, err)
			}
			f.Close()
		}
	}
}

func TestGuardLetsOtherPanicsPass(t *testing.T) {
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	var region mapped.Region
	_ = region.Guard(func() { panic("mine") })
}
