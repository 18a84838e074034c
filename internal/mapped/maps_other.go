//go:build !linux

package mapped

import (
	"errors"
	"io"
)

// ReadMaps fails with errors.ErrUnsupported: the system does not show what other
// processes have mapped.
func ReadMaps(io.Reader, func(id Identity, writes bool)) error { return errors.ErrUnsupported }
