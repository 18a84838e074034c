//go:build unix

package multiprocess_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"telltale/multiprocess/internal/segment"
)

// What root folds is still of use to those whose it was.
func TestFoldByRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: it takes root")
	}
	const user = 65534
	dir := t.TempDir()
	w := crew(t, dir, 1, segment.Header{})
	w.die()
	for _, path := range []string{dir, filepath.Join(dir, w.name)} {
		if err := os.Chown(path, user, user); err != nil {
			t.Fatal(err)
		}
	}
	fold(t, dir)
	for _, name := range []string{"archive.seg", "fold.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != user || st.Gid != user {
			t.Errorf("%s is of user %d", name, st.Uid)
		}
	}
}
