package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"telltale/internal/freeport"
)

const unitFolder = "../deploy/systemd"

// unitFiles returns the text of each unit by name.
func unitFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(unitFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	if len(texts) == 0 {
		t.Fatal("there are no units in " + unitFolder)
	}
	return texts
}

// setting returns the value of a setting that a unit has once.
func setting(t *testing.T, text, name string) string {
	t.Helper()
	var values []string
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			values = append(values, strings.TrimSpace(value))
		}
	}
	if len(values) != 1 {
		t.Fatalf("%s is set %d times, want once:\n%s", name, len(values), text)
	}
	return values[0]
}

// Systemd finds nothing to complain of in the units, and those of telltale are safe by
// its measure. Programs that are not installed here are replaced by empty ones.
func TestSystemdUnits(t *testing.T) {
	analyze := requireProgram(t, "systemd-analyze", "systemd")
	directory := t.TempDir()
	const installed = "/usr/local/bin/"
	var names []string
	for name, text := range unitFiles(t) {
		for line := range strings.Lines(text) {
			if command, ok := strings.CutPrefix(line, "ExecStart="+installed); ok {
				program := filepath.Join(directory, strings.Fields(command)[0])
				if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
		}
		text = strings.ReplaceAll(text, installed, directory+"/")
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), analyze, args...)
		cmd.Dir = directory
		cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+directory+":", "SYSTEMD_LOG_LEVEL=warning")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, name := range names {
		if out, err := run("verify", "--man=no", "./"+name); err != nil || strings.TrimSpace(out) != "" {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// In tenths: below 2 of 10 is what systemd calls safe.
	for name, threshold := range map[string]string{"shop-metrics.service": "15", "shop-send.service": "20"} {
		if out, err := run("security", "--offline=true", "--no-pager", "--threshold="+threshold, "./"+name); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// The page's service serves on the socket that it is passed, as its unit starts it: by
// systemd's own program for that, with directories of the test.
func TestSystemdPassesASocket(t *testing.T) {
	activate := requireProgram(t, "systemd-socket-activate", "systemd")
	texts := unitFiles(t)
	service := texts["shop-metrics.service"]
	address := setting(t, texts["shop-metrics.socket"], "ListenStream")
	if address != "127.0.0.1:9464" {
		t.Fatalf("the socket is at %s, want the address of the pages in docs", address)
	}
	directory := t.TempDir()
	command := strings.NewReplacer("/usr/local/bin/telltale", buildCommand(t), "/run/"+setting(t, service, "RuntimeDirectory"), directory)
	args := strings.Fields(command.Replace(setting(t, service, "ExecStart")))
	if !strings.Contains(strings.Join(args, " "), directory) {
		t.Fatalf("the service does not serve its RuntimeDirectory: %q", args)
	}
	for range 5 {
		address := freeport.Address(t)
		page := start(t, "systemd-socket-activate", exec.CommandContext(t.Context(), activate, append([]string{"-l", address}, args...)...))
		taken, text := false, ""
		page.await(t, "to serve", func(ctx context.Context) bool {
			taken = strings.Contains(page.output.String(), "ddress already in use")
			body, err := get(ctx, "http://"+address+"/metrics", "")
			text = string(body)
			return err == nil || taken
		})
		if taken {
			<-page.ended
			continue // another program got the address
		}
		if !strings.Contains(text, "\ntelltale_writers_size_bytes 0.0\n") {
			t.Errorf("the page has no health of the directory:\n%s", text)
		}
		if err := page.stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		return
	}
	t.Fatal("no address stays free")
}

// The sender's service sends its directory as its unit starts it, and ends well by the
// signal that systemd sends.
func TestSystemdSender(t *testing.T) {
	service := unitFiles(t)["shop-send.service"]
	sent := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent <- r.URL.Path }))
	defer receiver.Close()
	directory := t.TempDir()
	command := strings.NewReplacer("/usr/local/bin/telltale", buildCommand(t), "/run/"+setting(t, service, "RuntimeDirectory"), directory, "http://127.0.0.1:4318", receiver.URL)
	args := strings.Fields(command.Replace(setting(t, service, "ExecStart")))
	if text := strings.Join(args, " "); !strings.Contains(text, directory) || !strings.Contains(text, receiver.URL) {
		t.Fatalf("the service does not send its RuntimeDirectory to the usual port: %q", args)
	}
	sender := start(t, "send", exec.CommandContext(t.Context(), args[0], args[1:]...))
	sender.await(t, "to send", func(context.Context) bool { return len(sent) > 0 })
	if path := <-sent; path != "/v1/metrics" {
		t.Errorf("it sends to %s", path)
	}
	if err := sender.stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
