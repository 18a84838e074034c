package mapped

import "errors"

// ErrNoSpace is returned by [Growing.Extend] when the file system has no room
// for more: the disk or the memory behind it is full, or a quota, or the limit
// of the process or of the file system on the size of a file (RLIMIT_FSIZE) is
// reached.
var ErrNoSpace = errors.New("no space left for the file")
