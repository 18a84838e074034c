package collectors_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/collectors"
)

const goldenProcess = `
process_cpu_seconds counter in seconds
process_max_fds gauge
process_network_receive_bytes counter in bytes
process_network_transmit_bytes counter in bytes
process_open_fds gauge
process_resident_memory_bytes gauge in bytes
process_start_time_seconds gauge in seconds
process_virtual_memory_bytes gauge in bytes
process_virtual_memory_max_bytes gauge in bytes`

func TestProcessDefaultSet(t *testing.T) {
	all, err := families(t, collectors.NewProcess())
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, namesAndTypes(all), goldenProcess)
}

func TestProcessValuesMove(t *testing.T) {
	c := collectors.NewProcess()
	before := values(t, c)
	var files []*os.File
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	after := values(t, c)
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); after = values(t, c) {
		if after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]+0.05 {
			break
		}
	}
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if grown := after["process_open_fds"] - before["process_open_fds"]; grown < 9 || grown > 11 {
		t.Errorf("10 more open files are %v", grown)
	}
	if grown := after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]; grown < 0.049 || grown > 5 {
		t.Errorf("working until 50 ms were used took %v s", grown)
	}
	if after["process_max_fds"] <= after["process_open_fds"] {
		t.Errorf("%v of %v descriptors", after["process_open_fds"], after["process_max_fds"])
	}
	if rss := after["process_resident_memory_bytes"]; rss < 1<<20 || rss > after["process_virtual_memory_bytes"] {
		t.Errorf("%v resident of %v", rss, after["process_virtual_memory_bytes"])
	}
	if age := float64(time.Now().UnixMilli())/1000 - after["process_start_time_seconds"]; age < -2 || age > 3600 {
		t.Errorf("started %v s ago", age)
	}
	if before["process_start_time_seconds"] != after["process_start_time_seconds"] {
		t.Error("the start moved")
	}
}

func TestProcessOfAnother(t *testing.T) {
	file := filepath.Join(t.TempDir(), "some.pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(os.Getppid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reg := telltale.NewRegistry(telltale.WithStrict())
	for _, c := range []telltale.Collector{
		collectors.NewProcess(),
		collectors.NewProcess(collectors.WithPID(collectors.PIDFile(file)), collectors.WithNamespace("parent")),
	} {
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	found := values(t, reg)
	if found["parent_process_start_time_seconds"] <= 0 || found["parent_process_start_time_seconds"] > found["process_start_time_seconds"] {
		t.Errorf("the parent started at %v, this process at %v", found["parent_process_start_time_seconds"], found["process_start_time_seconds"])
	}
	if len(found) != 18 {
		t.Errorf("%d samples, not 9 of each", len(found))
	}
}

func TestProcessThatCannotBeFound(t *testing.T) {
	dir := t.TempDir()
	garbled := filepath.Join(dir, "garbled.pid")
	if err := os.WriteFile(garbled, []byte("x1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*collectors.Process{
		"no such process": collectors.NewProcess(collectors.WithPID(func() (int, error) { return 1 << 30, nil })),
		"no pid file":     collectors.NewProcess(collectors.WithPID(collectors.PIDFile(filepath.Join(dir, "none")))),
		"no number":       collectors.NewProcess(collectors.WithPID(collectors.PIDFile(garbled))),
		"no /proc":        collectors.NewProcess(collectors.WithProcMount(filepath.Join(dir, "none"))),
	} {
		all, err := families(t, c)
		if err == nil || len(all) > 0 {
			t.Errorf("%s: %d families, error %v", name, len(all), err)
		}
		if name != "no number" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", name, err)
		}
		if described := c.Describe(); len(described) != 9 {
			t.Errorf("%s: described %d families", name, len(described))
		}
	}
}

// proc makes a proc file system of one process, which is "self".
func proc(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "77", "fd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("77", filepath.Join(root, "self")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// processStat is 77/stat: 150 ticks of user time, 50 of system time, started
// 2000 ticks after boot, 1 MiB large, 3 pages resident.
const processStat = "77 (a (b) c) S 1 77 77 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 1 0 2000 1048576 3 18446744073709551615 " +
	"1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

func TestProcessLeavesOutWhatItCannotRead(t *testing.T) {
	root := proc(t, map[string]string{"77/fd/0": "", "77/fd/1": "", "77/stat": "garbled"})
	c := collectors.NewProcess(collectors.WithProcMount(root))
	all, err := families(t, c)
	sameLines(t, namesAndTypes(all), "process_open_fds gauge")
	for _, reason := range []string{"process_cpu_seconds_total", "process_start_time_seconds", "process_max_fds", "limits"} {
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("the error does not mention %s: %v", reason, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "network") {
		t.Errorf("a kernel without net/netstat is reported: %v", err)
	}
	// Views do not touch what is broken, unless they need it.
	if found := values(t, c.Restricted("process_open_fds")); found["process_open_fds"] != 2 {
		t.Errorf("restricted to descriptors: %v", found)
	}
	if found := values(t, c.Restricted("process_network_receive_bytes_total")); len(found) > 0 {
		t.Errorf("restricted to network: %v", found)
	}
	if _, err := families(t, c.Restricted("process_resident_memory_bytes")); err == nil {
		t.Error("restricted to memory: no error")
	}
}

func TestProcessReadsProc(t *testing.T) {
	root := proc(t, map[string]string{
		"stat":    "cpu  1 2 3 4 5 6 7 0 0 0\nbtime 1700000000\n",
		"77/stat": processStat,
		"77/net/netstat": "TcpExt: SyncookiesSent\nTcpExt: 5\n" +
			"IpExt: InOctets OutOctets\nIpExt: 123 456\n",
	})
	c := collectors.NewProcess(collectors.WithProcMount(root)).Restricted("process_cpu_seconds", "process_virtual_memory_bytes",
		"process_resident_memory_bytes", "process_start_time_seconds", "process_network_receive_bytes", "process_network_transmit_bytes_total")
	want := map[string]float64{
		"process_cpu_seconds_total":            2,
		"process_virtual_memory_bytes":         1 << 20,
		"process_resident_memory_bytes":        3 * float64(os.Getpagesize()),
		"process_start_time_seconds":           1700000020,
		"process_network_receive_bytes_total":  123,
		"process_network_transmit_bytes_total": 456,
	}
	found := values(t, c)
	for name, v := range want {
		if found[name] != v {
			t.Errorf("%s is %v, not %v", name, found[name], v)
		}
	}
	// The boot time is not looked up again for the same process, but it is for
	// another of the same number.
	if err := os.Remove(filepath.Join(root, "stat")); err != nil {
		t.Fatal(err)
	}
	if again := values(t, c)["process_start_time_seconds"]; again != 1700000020 {
		t.Errorf("the start moved to %v", again)
	}
	restarted := strings.Replace(processStat, " 2000 ", " 9000 ", 1)
	for name, text := range map[string]string{"77/stat": restarted, "stat": "btime 1700000000\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if again := values(t, c)["process_start_time_seconds"]; again != 1700000090 {
		t.Errorf("the restarted process started at %v", again)
	}
}

func TestProcessWithInvalidNamespace(t *testing.T) {
	c := collectors.NewProcess(collectors.WithNamespace("\xff"))
	if err := telltale.NewRegistry().Register(c); err == nil {
		t.Error("registered under a name that is not UTF-8")
	}
}
