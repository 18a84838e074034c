package mapped_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"telltale/internal/mapped"
)

// childVariable names what this binary does instead of running tests, when it is
// started by one of them with a path as its argument.
const childVariable = "MAPPED_TEST_CHILD"

// children says what a child can do; it prints a line once it has.
var children = map[string]func(path string) error{
	"write":  func(path string) error { return writeAndWait(path, false) },
	"parent": func(path string) error { return writeAndWait(path, true) },
	"sleep":  func(string) error { return untilReleased() },
}

func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := children[name](os.Args[1]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// untilReleased says that the child is ready, and returns when the test closes
// the child's standard input.
func untilReleased() error {
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// writeAndWait is a writer: it locks a new file, maps it, stores into it and
// waits, with a child of its own that lives as long as it is let, or without.
func writeAndWait(path string, withChild bool) error {
	g, err := mapped.Create(path, 0o600)
	if err != nil {
		return err
	}
	if locked, err := g.Lock(); !locked {
		return fmt.Errorf("not locked: %w", err)
	}
	extent, err := g.Extend(0, os.Getpagesize())
	if err != nil {
		return err
	}
	copy(extent, "stored")
	if withChild {
		c := command("sleep", path)
		c.Stdin, c.Stdout = os.Stdin, os.Stdout
		if err := c.Start(); err != nil {
			return err
		}
		return c.Wait()
	}
	return untilReleased()
}

func command(name, path string) *exec.Cmd {
	c := exec.Command(os.Args[0], path)
	c.Env = append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0") // which is a second otherwise
	c.Stderr = os.Stderr
	return c
}

// start starts a child and returns it when it says that it is ready. Its standard
// input, which its own children share, is closed when the test ends.
func start(t *testing.T, name, path string) *exec.Cmd {
	t.Helper()
	c := command(name, path)
	// Pipes of our own: Wait must not close them, nor wait for a grandchild's end.
	stdin, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, said, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin, c.Stdout = stdin, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	closeAll := func(files ...*os.File) {
		for _, f := range files {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	closeAll(stdin, said)
	t.Cleanup(func() {
		closeAll(release)
		if c.ProcessState == nil {
			_ = c.Wait()
		}
		_, _ = io.Copy(io.Discard, stdout) // until the grandchild is gone too
		closeAll(stdout)
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return c
}

func kill(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
}
