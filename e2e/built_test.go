package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/internal/freeport"
)

// requireBuilt returns a program of another project in the version that the module in a
// folder below this one has. It is built once and kept in the user's cache.
func requireBuilt(t *testing.T, folder, program string, flags ...string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = hash.Write(text) // which never fails
	}
	kept := filepath.Join(cache, "telltale", fmt.Sprintf("%s-%x", folder, hash.Sum(nil)[:8]))
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	made := filepath.Join(t.TempDir(), folder)
	build := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", made}, flags...), program)...)
	build.Dir, build.Env = folder, append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", program, err, out)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	temporary := fmt.Sprintf("%s.%d", kept, os.Getpid())
	if err := os.WriteFile(temporary, content, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, kept); err != nil {
		t.Fatal(err)
	}
	return kept
}

// requirePrometheus3 returns a current Prometheus. Without service discovery, which no
// test needs, that takes a few minutes to build instead of many.
func requirePrometheus3(t *testing.T) string {
	t.Helper()
	return requireBuilt(t, "prometheus3", "github.com/prometheus/prometheus/cmd/prometheus", "-tags=remove_all_sd")
}

// server starts a program that takes its address as a flag and waits until it answers.
func server(t *testing.T, name, program, ready string, flags func(address string) []string) (p *process, base string) {
	t.Helper()
	for range 5 {
		address := freeport.Address(t)
		p := start(t, name, exec.CommandContext(t.Context(), program, flags(address)...))
		if p.answers(t, "http://"+address+ready) {
			return p, "http://" + address
		}
	}
	t.Fatalf("no address stays free for as long as %s takes to listen on it", name)
	return nil, ""
}
