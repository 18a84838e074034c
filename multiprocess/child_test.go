//go:build unix

package multiprocess_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// childVariable names what this binary does instead of running tests, when it is
// started by one of them.
const childVariable = "MULTIPROCESS_TEST_CHILD"

// children says what a child can do with its arguments.
var children = map[string]func(args []string) error{
	"count":   countAloud,
	"expire":  countWhenTold,
	"limited": countLimited,
	"lowly":   beLowly,
	"perform": perform,
	"replace": replaceAloud,
}

func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		flag.Parse()
		os.Exit(m.Run())
	}
	if err := children[name](os.Args[1:]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func command(name string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0") // which is a second otherwise
	c.Stderr = os.Stderr
	return c
}
