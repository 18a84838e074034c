package catalog

import (
	"fmt"
	"strconv"
	"strings"
)

// Conflict says that writers disagree on a family.
type Conflict struct {
	Family string
	About  string // "type", "name", "mode", "help", "unit", "bounds", "states", "native buckets" or "pid"
	Err    error  // both sides, and which one counts
	// Lost reports whether samples are left out because of it. Without, as where
	// help texts differ, all values are counted.
	Lost bool
	// Files has the path of the file that counts, followed by those of the files
	// that differ, at most ten.
	Files []string
	// More is the number of files that differ and are not in Files.
	More int
}

// maxConflictFiles is how many of the files that differ a conflict names.
const maxConflictFiles = 10

// Error names the family, both sides and the files.
func (e *Conflict) Error() string {
	text := fmt.Sprintf("multiprocess: writers disagree on the %s of %.200q: %v", e.About, e.Family, e.Err)
	if len(e.Files) < 2 {
		return text
	}
	var files strings.Builder
	for i, path := range e.Files[1:] {
		if i > 0 {
			files.WriteString(", ")
		}
		files.WriteString(strconv.Quote(path))
	}
	if e.More > 0 {
		fmt.Fprintf(&files, " and %d more", e.More)
	}
	return fmt.Sprintf("%s (%q counts before %s)", text, e.Files[0], &files)
}

// Unwrap returns the disagreement alone.
func (e *Conflict) Unwrap() error { return e.Err }
