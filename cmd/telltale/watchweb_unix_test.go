//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/model"
)

// A target that never ends is left out, is not read a second time meanwhile, and keeps
// the others from nothing.
func TestWatchWebOfAPipeThatNobodyWritesTo(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { // which ends the reading
		if f, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			_ = f.Close()
		}
	})
	var said strings.Builder
	w := &watch{reading: reading{MaxSize: 1 << 20, MaxLine: 1 << 20, MaxLabels: 10, MaxMessage: 1 << 20}}
	if err := w.Format.UnmarshalText([]byte(auto)); err != nil {
		t.Fatal(err)
	}
	sources := &webSources{others: newNews(failuresLimit, func(err error) { t.Error(err) })}
	for _, name := range []string{pipe, file(t, "# TYPE x gauge\nx 1\n")} {
		diag := diagnostics{io.Discard}
		if name == pipe {
			diag.to = &said
		}
		source, err := w.source(name, diag)
		if err != nil {
			t.Fatal(err)
		}
		sources.all = append(sources.all, source)
	}
	collect := func(within time.Duration) (names []string) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		if err := sources.Collect(ctx, func(f *model.Family) error { names = append(names, f.Name); return nil }); err != nil {
			t.Error(err)
		}
		if ctx.Err() != nil && within > time.Second {
			t.Errorf("it took %v", within)
		}
		return names
	}
	collect(10 * time.Millisecond) // which may be too short for the file, too
	const want = "telltale_target_up x"
	for end := time.Now().Add(patience); ; {
		got := strings.Join(collect(patience), " ")
		if got == want {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("families %s, want %s", got, want)
		}
	}
	if text := said.String(); strings.Count(text, "takes too long") != 1 {
		t.Errorf("messages: %s", text)
	}
}
