package mapped

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadMaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	g, err := Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close() //nolint:errcheck // of no interest here
	if _, err := g.Extend(0, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	defer g.Unmap()
	region, err := g.Map(os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer region.Unmap()

	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close() //nolint:errcheck // it was only read from
	var reads, writes int
	if err := ReadMaps(maps, func(id Identity, w bool) {
		switch {
		case id != g.Identity():
		case w:
			writes++
		default:
			reads++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if reads != 1 || writes != 1 {
		t.Errorf("%d mappings for reading and %d for writing, want one of each", reads, writes)
	}
}

func TestReadMapsOfOddLines(t *testing.T) {
	text := strings.Join([]string{
		"7f00-7f01 rw-p 00000000 00:00 0",
		"7f00-7f01 rw-s 00000000 fd:01 42                  /with a space (deleted)",
		"7f00-7f01 r--s 00000000 fd:01 43 /" + strings.Repeat("long", 1<<14),
		"", "nonsense", "a b c d e", "7f00-7f01 rw-s 0 zz:1 5 /x",
		"7f00-7f01 rw-p 00000000 fd:01 44 /private",
	}, "\n") + "\n"
	got := make(map[uint64]bool)
	if err := ReadMaps(strings.NewReader(text), func(id Identity, writes bool) { got[id.Inode()] = writes }); err != nil {
		t.Fatal(err)
	}
	want := map[uint64]bool{42: true, 43: false, 44: false}
	if len(got) != len(want) {
		t.Errorf("found %v, want %v", got, want)
	}
	for inode, writes := range want {
		if w, ok := got[inode]; !ok || w != writes {
			t.Errorf("inode %d: %v, %v", inode, w, ok)
		}
	}
}

func FuzzReadMaps(f *testing.F) {
	f.Add("7f00-7f01 rw-s 00000000 fd:01 42                  /a file\n")
	f.Add("7f00-7f01 r--p 00000000 00:00 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		err := ReadMaps(strings.NewReader(text), func(id Identity, _ bool) {
			if n++; id.Inode() == 0 {
				t.Error("a mapping of no file")
			}
		})
		if err != nil || n > strings.Count(text, "\n")+1 {
			t.Errorf("%d mappings in %d lines, %v", n, strings.Count(text, "\n"), err)
		}
	})
}
