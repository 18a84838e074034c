package multiprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The environment variables that name the directory, as for Python's client. The
// second spelling is deprecated there.
const (
	dirVariable           = "PROMETHEUS_MULTIPROC_DIR"
	deprecatedDirVariable = "prometheus_multiproc_dir"
)

// resolveDirectory finds the directory and checks that it is one.
func resolveDirectory(dir string) (string, error) {
	variable := ""
	for _, name := range []string{dirVariable, deprecatedDirVariable} {
		if dir == "" {
			variable, dir = name, os.Getenv(name)
		}
	}
	if dir == "" {
		return "", errors.New("multiprocess: no directory is given, and the environment variable " + dirVariable + " is not set or empty")
	}
	_, err := statDirectory(dir)
	if err != nil && variable != "" {
		err = fmt.Errorf("%w (named by the environment variable %s)", err, variable)
	}
	return dir, err
}

func statDirectory(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	return info, nil
}

// directoryFor finds the directory and makes it if it is not there.
func directoryFor(dir string) (string, error) {
	found, err := resolveDirectory(dir)
	if err != nil && found != "" && errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(found, 0o700); err != nil {
			err = fmt.Errorf("multiprocess: %w", err)
		}
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(found)
}
