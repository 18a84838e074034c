//go:build unix

package multiprocess_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// childVariable names what this binary does instead of running tests, when it is
// started by one of them.
const childVariable = "MULTIPROCESS_TEST_CHILD"

// children says what a child can do with its arguments.
var children = map[string]func(args []string) error{
	"count": countAloud,
	"lowly": beLowly,
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

// startChild starts a child and returns it when it says that it is ready. It is
// told to end by the end of its standard input, when the test has ended.
func startChild(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := command(name, args...)
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if c.ProcessState == nil {
			_ = c.Wait()
		}
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return c
}

func killChild(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
}

// untilReleased says that the child is ready, and returns when the test closes
// the child's standard input.
func untilReleased() error {
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
