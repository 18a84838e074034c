package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// TestPromtool has `promtool check metrics` read pages in the formats that it
// knows, those without UTF-8 names. It exits with 1 for a page that it cannot
// read, and with 3 for one that it would name otherwise: hostile names are not
// meant to please a linter.
func TestPromtool(t *testing.T) {
	promtool := requireProgram(t, "promtool", "prometheus")
	verdict := func(page []byte) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		command := exec.CommandContext(ctx, promtool, "check", "metrics")
		command.Stdin = bytes.NewReader(page)
		output, err := command.CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 3 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	}
	// A promtool that accepts everything would prove nothing.
	if verdict([]byte("a{b=\"1\" 2\n")) == nil {
		t.Fatal("promtool takes a page with a brace missing")
	}
	for seed := *firstSeed; seed < *firstSeed+uint64(max(1, *pageCount/8)); seed++ {
		p := generate(seed)
		for _, d := range dialects() {
			if d.openMetrics || d.protobuf || d.utf8() {
				continue
			}
			page, err := write(p.families, d)
			if err != nil {
				t.Fatalf("-seed %d: %v", seed, err)
			}
			if err := verdict(page); err != nil {
				t.Fatalf("%s, -seed %d: %v\n%s", d, seed, err, page)
			}
		}
	}
}
