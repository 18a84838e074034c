package multiprocess_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale"
	"telltale/multiprocess"
)

// mayNotMount is what a child says that lacks the privilege.
const mayNotMount = "may not mount"

func init() {
	children["full"] = func(args []string) error { return onSmallDisk(args[0], fillDisk) }
	children["readonly"] = func(args []string) error { return onSmallDisk(args[0], openReadOnly) }
}

// onSmallDisk mounts a small tmpfs on dir, for this process alone.
func onSmallDisk(dir string, do func(dir string) error) error {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m")
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		fmt.Println(mayNotMount)
		os.Exit(0)
	}
	if err != nil {
		return err
	}
	return do(dir)
}

// fillDisk has a store make series until the disk is full and far beyond.
func fillDisk(dir string) error {
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 256<<10), 0o600); err != nil {
		return err
	}
	var told []error
	var tellings atomic.Int64
	store, err := multiprocess.Open(dir, multiprocess.WithErrorHook(func(err error) {
		told = append(told, err)
		tellings.Add(1)
	}))
	if err != nil {
		return err
	}
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, telltale.In(reg)))
	h := telltale.Must(telltale.NewHistogramVec("h", "", []string{"n"}, telltale.In(reg)))
	const series = 6000 // of which some 2000 fit
	for i := range series {
		v.With(strconv.Itoa(i)).Inc()
		h.With(strconv.Itoa(i)).Observe(1)
	}
	for i := range series { // every word that was given out can be written to
		v.With(strconv.Itoa(i)).Add(0.5)
	}
	for others := 0; err == nil && others < 64; others++ { // so many would not fit
		_, err = multiprocess.Open(dir)
	}
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), dir) {
		return fmt.Errorf("one writer too many: %w", err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, ".telltale-*")); err != nil || len(names) > 0 {
		return fmt.Errorf("it has left %v: %w", names, err)
	}
	reader, err := multiprocess.NewCollector(dir)
	if err != nil {
		return err
	}
	pages := func(c telltale.Collector) (counted, observed float64, err error) {
		page, err := telltale.GenerateLatest(c)
		for line := range strings.Lines(string(page)) {
			at := strings.LastIndexByte(line, ' ')
			n, _ := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
			switch {
			case strings.HasPrefix(line, "c_total{"):
				counted += n
			case strings.HasPrefix(line, "h_count{"):
				observed += n
			}
		}
		return counted, observed, err
	}
	if counted, observed, err := pages(reg); counted != 1.5*series || observed != series || err != nil {
		return fmt.Errorf("the process itself sees %v and %v: %w", counted, observed, err)
	}
	counted, observed, err := pages(reader)
	spilled := store.Stats().Spilled
	if err != nil || spilled == 0 || counted == 0 || counted/1.5+observed != float64(2*series-spilled) {
		return fmt.Errorf("%v series spilled, others see %v and %v: %w", spilled, counted, observed, err)
	}
	for end := time.Now().Add(time.Minute); tellings.Load() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if tellings.Load() != 1 || !errors.Is(told[0], unix.ENOSPC) {
		return fmt.Errorf("told %v", told)
	}
	// There is room again, and later series are in the file.
	if err := os.Remove(ballast); err != nil {
		return err
	}
	late := telltale.Must(telltale.NewCounterVec("late", "", []string{"n"}, telltale.In(reg)))
	for i, end := 0, time.Now().Add(time.Minute); ; i++ {
		late.With(strconv.Itoa(i)).Inc()
		page, err := telltale.GenerateLatest(reader)
		if err != nil {
			return err
		}
		if strings.Contains(string(page), "late_total{") {
			break
		}
		if time.Now().After(end) {
			return errors.New("there is room again, and no series finds it")
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println("ready")
	return store.Close()
}

func openReadOnly(dir string) error {
	sub := filepath.Join(dir, "sub")
	if err := errors.Join(os.Mkdir(sub, 0o700), unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=1m")); err != nil {
		return err
	}
	for _, dir := range []string{sub, filepath.Join(dir, "new")} {
		if _, err := multiprocess.Open(dir); !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), dir) {
			return fmt.Errorf("a store on a read-only file system: %w", err)
		}
	}
	c, err := multiprocess.NewCollector(sub)
	if err != nil {
		return err
	}
	if _, err := telltale.GenerateLatest(c); err != nil {
		return err
	}
	fmt.Println("ready")
	return nil
}

// mounting returns what a child says that mounts something for itself.
func mounting(t *testing.T, what string) string {
	t.Helper()
	c := command(what, t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{ // its own user is root of its own mounts
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.Output()
	if string(out) == mayNotMount+"\n" || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) { // no namespaces allowed, or none left
		t.Skip("NOT TESTED: this process may not make a user namespace and mount in it:", err)
	}
	if err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	return string(out)
}

func TestSmallDisk(t *testing.T) {
	for _, what := range []string{"full", "readonly"} {
		t.Run(what, func(t *testing.T) {
			if said := mounting(t, what); said != "ready\n" {
				t.Error(said)
			}
		})
	}
}
