package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestFloorsCallNoAtomics disassembles the floors' loops: a floor whose atomic
// instructions are calls would be a handicapped one.
func TestFloorsCallNoAtomics(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("atomics need not be instructions here")
	}
	if raceEnabled {
		t.Skip("the race detector makes calls of atomics")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	listing, err := exec.Command("go", "tool", "objdump", "-s", `\.(floor|sharded|table)Peer\..*func|\.\(\*openTable\)\.find`, program).CombinedOutput()
	if err != nil {
		t.Skipf("go tool objdump: %v\n%s", err, listing)
	}
	called := regexp.MustCompile(`(?m)^.*\bCALL (sync/atomic|math|internal/runtime/atomic)\..*$|^.*\bCALL .*\.addFloat\(.*$`)
	for _, line := range called.FindAll(listing, -1) {
		t.Errorf("a call in a floor's loop: %s", bytes.TrimSpace(line))
	}
	for _, loop := range []string{"floorPeer.inc", "floorPeer.set", "floorPeer.observe", "shardedPeer.inc", "openTable).find"} {
		if !strings.Contains(string(listing), loop) {
			t.Errorf("%s was not disassembled", loop)
		}
	}
}
