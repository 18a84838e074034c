package spool

import (
	"encoding/hex"
	"os"
	"strings"
	"sync"
)

// BootID returns the identity of the system's boot, zeros if it is unknown.
var BootID = sync.OnceValue(func() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	digits := strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	if decoded, err := hex.DecodeString(digits); err == nil && len(decoded) == len(id) {
		copy(id[:], decoded)
	}
	return id
})
