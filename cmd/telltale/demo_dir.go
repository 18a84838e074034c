package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
)

// demoDirName is what [os.MkdirTemp] makes of the prefix of a demo's directory.
// Nothing else is ever removed.
var demoDirName = regexp.MustCompile(`^telltale-demo-[0-9]+$`)

// makeDemoDir makes a directory for the processes of a demo, on a tmpfs if there
// is one, and holds it. It removes those of demos of the same user whose processes
// were all killed.
func makeDemoDir() (dir string, release func(), err error) {
	for _, parent := range []string{"/dev/shm", os.TempDir()} {
		removeAbandonedIn(parent)
		for range 3 { // another demo may remove what is not held yet
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

// removeAbandonedIn calls [removeAbandoned] for all directories of demos in
// parent. One that cannot be removed costs nothing but its space.
func removeAbandonedIn(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, "telltale-demo-*"))
	for _, dir := range found {
		removeAbandoned(dir)
	}
}
