package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// demoDirName matches the names that [os.MkdirTemp] gives to directories of
// demos. Nothing else is ever removed.
var demoDirName = regexp.MustCompile(`^telltale-demo-[0-9]+$`)

// makeDemoDir makes a directory for the processes of a demo, on a tmpfs if there
// is one, and holds it. It removes directories of demos of the same user whose
// processes were all killed.
func makeDemoDir() (dir string, release func(), err error) {
	for _, parent := range []string{"/dev/shm", os.TempDir()} {
		removeAbandonedIn(parent)
		for range 3 { // another demo may remove the directory before it is held
			if dir, err = os.MkdirTemp(parent, "telltale-demo-"); err != nil {
				break
			}
			if release, err = holdDemoDir(dir); err == nil {
				return dir, release, nil
			}
		}
	}
	return "", nil, err
}

var errRemoved = errors.New("the directory was removed")

// abandonPatience is how long a worker without a parent waits for others that hold
// the directory. It is longer than the others take to end.
const abandonPatience = 30 * time.Second

// awaitAbandoned removes the directory of a demo whose processes all end, once
// the last of them does. A killed parent may hold it for some time after its
// workers were told: the kernel closes a process's files one by one.
func awaitAbandoned(dir string) {
	for end := time.Now().Add(abandonPatience); removeAbandoned(dir) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}

// removeAbandonedIn calls [removeAbandoned] for all directories of demos in
// parent. Errors are ignored: a directory that stays only takes space.
func removeAbandonedIn(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, "telltale-demo-*"))
	for _, dir := range found {
		removeAbandoned(dir)
	}
}
