package spool

import "fmt"

// Reason says in one word why a file is left out.
type Reason string

// The reasons that this package finds.
const (
	ReasonName     Reason = "name"      // nobody's name
	ReasonEmpty    Reason = "empty"     // no bytes
	ReasonShort    Reason = "truncated" // fewer bytes than it says
	ReasonCorrupt  Reason = "corrupt"   // what it says cannot be
	ReasonCopy     Reason = "copy"      // its name is not that of the process that wrote it
	ReasonLinked   Reason = "linked"    // it has several names
	ReasonReplaced Reason = "replaced"  // it is not the file that it was
	ReasonSparse   Reason = "sparse"    // most of its bytes are not there
	ReasonLarge    Reason = "read"      // it has more bytes than can be read
)

// Defect is what is wrong with a file.
type Defect struct {
	Reason Reason
	Text   string
}

// Error returns the text.
func (d *Defect) Error() string { return d.Text }

// Defectf makes a [*Defect].
func Defectf(reason Reason, format string, args ...any) error {
	return &Defect{reason, fmt.Sprintf(format, args...)}
}
