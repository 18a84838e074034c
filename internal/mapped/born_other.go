//go:build !linux

package mapped

// Born returns when the directory was made; 0 for unknown.
func (d *Dir) Born() int64 { return 0 }
