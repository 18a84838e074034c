//go:build !unix

package multiprocess_test

import "os"

// makePipe makes something else that is not a file, for want of pipes.
func makePipe(path string) error { return os.Mkdir(path, 0o700) }
