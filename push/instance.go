package push

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
)

// UniqueInstance returns a value for the label instance that no other process has: the
// host's name and random digits. Processes that send series without such a label spoil
// each other's.
func UniqueInstance() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	var unique [8]byte
	_, _ = rand.Read(unique[:]) // never fails
	return strings.ToValidUTF8(host, "_") + "-" + hex.EncodeToString(unique[:])
}
