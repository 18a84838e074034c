package multiprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"telltale"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

func init() {
	children["foldfull"] = func(args []string) error { return onSmallDisk(args[0], foldFullDisk) }
	children["work"] = func(args []string) error { return workIn(args[0], multiprocess.WithErrorHook(func(error) {})) }
	children["work0660"] = func(args []string) error { return workIn(args[0], multiprocess.WithPermissions(0o660)) }
	children["fold"] = foldIn
	children["remove"] = removeIn
	children["page"] = pageOf
	children["busy"] = busyIn
}

// workIn is a process that counts 1 in a store and ends.
func workIn(dir string, opts ...multiprocess.StoreOption) error {
	store, err := multiprocess.Open(dir, append(opts, multiprocess.WithoutFolding())...)
	if err != nil {
		return err
	}
	_, c := counterIn(store)
	c.Inc()
	return nil
}

func foldIn(args []string) error {
	report, err := multiprocess.Fold(context.Background(), args[0])
	if err == nil {
		fmt.Printf("absorbed %d, left %d\n", len(report.Absorbed), len(report.Left))
	}
	return err
}

func removeIn(args []string) error {
	var told error
	store, err := multiprocess.Open(args[0], multiprocess.WithErrorHook(func(err error) { told = err }), multiprocess.WithoutFolding())
	if err != nil {
		return err
	}
	v := telltale.Must(telltale.NewCounterVec("v", "", []string{"n"}, telltale.In(telltale.NewRegistry(telltale.WithStore(store)))))
	v.With("a").Inc()
	v.Remove("a")
	return told
}

func pageOf(args []string) error {
	c, err := multiprocess.NewCollector(args[0])
	if err != nil {
		return err
	}
	text, err := telltale.GenerateLatest(c)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "c_total") {
			fmt.Print(line)
		}
	}
	return err
}

// as runs a child as a user of a group and returns what it says.
func as(t *testing.T, user, group uint32, name string, args ...string) string {
	t.Helper()
	c := command(name, args...)
	if os.Geteuid() == 0 {
		binary := filepath.Join(filepath.Dir(args[0]), "binary") // which the user can run
		if _, err := os.Stat(binary); err != nil {
			if err := errors.Join(exec.Command("cp", os.Args[0], binary).Run(), os.Chmod(binary, 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		c.Path = binary
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: group}}
	}
	out, err := c.Output()
	if err != nil {
		t.Errorf("%s as %d: %v: %s", name, user, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Who may write to the directory may fold it, whoever came first.
func TestUsersShareADirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: it takes root to be several users")
	}
	const alice, bob, group = 65534, 65533, 65532
	for _, test := range []struct {
		name         string
		owner, group int
		mode         os.FileMode
		worker       string
		users        []uint32 // who come in turn, each with one process, and fold
		lock         os.FileMode
	}{
		{"root first", 0, group, os.ModeSetgid | 0o770, "work", []uint32{0, alice, bob}, 0o660},
		{"service first", 0, group, os.ModeSetgid | 0o770, "work", []uint32{alice, 0, bob, alice}, 0o660},
		{"without setgid", alice, group, 0o770, "work", []uint32{bob, alice, 0}, 0o660},
		{"with permissions", alice, group, 0o770, "work0660", []uint32{alice, bob, 0, bob}, 0o660},
		{"of one user", alice, group, 0o700, "work", []uint32{0, alice, 0}, 0o600},
		{"readable", alice, group, 0o755, "work", []uint32{0, alice}, 0o600},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := sharedDir(t)
			dir := filepath.Join(root, "d")
			if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(dir, 0o700), os.Chown(dir, test.owner, test.group), os.Chmod(dir, test.mode)); err != nil {
				t.Fatal(err)
			}
			for i, user := range test.users {
				as(t, user, group, test.worker, dir)
				if said := as(t, user, group, "fold", dir); said != "absorbed 1, left 0" {
					t.Errorf("fold %d, of user %d: %s", i, user, said)
				}
				as(t, user, group, "remove", dir)
				as(t, user, group, "fold", dir)
				for _, reader := range test.users {
					if said := as(t, reader, group, "page", dir); said != fmt.Sprintf("c_total %d.0", i+1) {
						t.Errorf("after fold %d user %d sees %q", i, reader, said)
					}
				}
			}
			info, err := os.Stat(filepath.Join(dir, "fold.lock"))
			if err != nil || info.Mode().Perm() != test.lock {
				t.Errorf("the lock has %v, %v", info.Mode(), err)
			}
		})
	}
}

// A fold of two users' files shows neither the other's.
func TestFoldDisclosesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: it takes root to be several users")
	}
	const alice, bob, group = 65534, 65533, 65532
	root := sharedDir(t)
	dir := filepath.Join(root, "d")
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(dir, 0o700), os.Chmod(dir, os.ModeSticky|0o777)); err != nil {
		t.Fatal(err)
	}
	as(t, alice, alice, "work", dir)
	as(t, bob, bob, "work", dir)
	report := fold(t, dir)
	if len(report.Absorbed) != 1 || len(report.Left) != 1 || report.Left[0].Reason != multiprocess.ReasonPermission {
		t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
	}
	for _, user := range []uint32{alice, bob} {
		if said := as(t, user, user, "page", dir); said != "c_total 1.0" {
			t.Errorf("user %d sees %q", user, said)
		}
	}
}

// Where all may write to a directory, a file's owner need not be of its group: what
// the group may read is not shown to him.
func TestFoldDisclosesNothingToStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: it takes root to be several users")
	}
	const stranger, bob, group = 65534, 65533, 65532
	root := sharedDir(t)
	dir := filepath.Join(root, "d")
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(dir, 0o700), os.Chown(dir, 0, group), os.Chmod(dir, os.ModeSetgid|0o777)); err != nil {
		t.Fatal(err)
	}
	as(t, stranger, stranger, "work", dir)
	fold(t, dir)
	as(t, bob, group, "work", dir)
	report := fold(t, dir)
	if len(report.Absorbed) != 0 || len(report.Left) != 1 || report.Left[0].Reason != multiprocess.ReasonPermission {
		t.Errorf("absorbed %q, left %q", report.Absorbed, left(report))
	}
	if said := as(t, stranger, stranger, "page", dir); said != "c_total 1.0" {
		t.Errorf("the stranger sees %q", said)
	}
	if said := as(t, bob, group, "page", dir); said != "c_total 2.0" {
		t.Errorf("who is of the group sees %q", said)
	}
}

// foldFullDisk leaves dead writers on a disk without room, and folds them.
func foldFullDisk(dir string) error {
	for range 20 {
		c := command("work", dir)
		if out, err := c.Output(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		return err
	}
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	report, err := multiprocess.Fold(context.Background(), dir)
	if err != nil {
		return err
	}
	if len(report.Absorbed) != 20 {
		return fmt.Errorf("absorbed %d, left %v", len(report.Absorbed), report.Left)
	}
	return pageOf([]string{dir})
}

// A fold can free space where there is none.
func TestFoldOnAFullDisk(t *testing.T) {
	c := command("foldfull", t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := c.Output()
	said := strings.TrimSpace(string(out))
	switch {
	case errors.Is(err, syscall.EPERM) || said == mayNotMount:
		t.Skip("NOT TESTED: it takes the right to mount a file system")
	case err != nil || said != "c_total 20.0":
		t.Errorf("%v: %s", err, said)
	}
}

// busyIn is a process that writes, removes and collects again and again.
func busyIn(args []string) error {
	var told []error
	store, err := multiprocess.Open(args[0], multiprocess.WithErrorHook(func(err error) { told = append(told, err) }))
	if err != nil {
		return err
	}
	reg := telltale.NewRegistry(telltale.WithStore(store))
	v := telltale.Must(telltale.NewCounterVec("v", "", []string{"n"}, telltale.In(reg)))
	page := ""
	for i := range 5 {
		v.With(strconv.Itoa(i)).Inc()
		v.Remove(strconv.Itoa(i))
		text, err := telltale.GenerateLatest(reg)
		if err != nil {
			return err
		}
		page = string(text)
	}
	open, err := os.ReadDir("/proc/self/fd")
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "c_total") {
			fmt.Printf("%s %d descriptors %v %v\n", strings.TrimSpace(line), len(open), told, err)
		}
	}
	return nil
}

// No descriptor is held for a file: with 64 of them a process writes, collects and
// removes beside 200 live writers, of which some have 5,000 series, and folds what they
// leave.
func TestManyWritersWithFewDescriptors(t *testing.T) {
	dir := sharedDir(t)
	var writers []*writer
	for i := range 200 {
		w := counting(t, dir, segment.Header{}, 1)
		if writers = append(writers, w); i%40 != 0 {
			continue
		}
		many := w.family(counterOf("many"))
		for i := range 5000 {
			many.add(`n="`+strconv.Itoa(i)+`"`, 1)
		}
	}
	limited := func(verb string) (string, error) {
		c := exec.Command("sh", "-c", `ulimit -n 64; exec "$@"`, "sh", os.Args[0], dir)
		c.Env = append(os.Environ(), childVariable+"="+verb)
		said, err := c.CombinedOutput()
		return string(said), err
	}
	descriptors := 0
	said, err := limited("busy")
	if _, failed := fmt.Sscanf(said, "c_total 200.0 %d descriptors [] <nil>", &descriptors); err != nil || failed != nil || descriptors > 20 {
		t.Errorf("%v: %s", err, said)
	}
	for _, w := range writers {
		w.die()
	}
	if said, err := limited("fold"); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if names := ls(t, dir, "writer-*"); len(names) > 0 {
		t.Errorf("left %q", names)
	}
	if said, err := limited("page"); err != nil || said != "c_total 200.0\n" {
		t.Errorf("%v: %s", err, said)
	}
	if n := walk(t, collector(t, dir)); n != 5001 {
		t.Errorf("%d series are left, want 5001", n)
	}
}

// With few descriptors a fold absorbs all the same.
func TestFoldWithFewDescriptors(t *testing.T) {
	dir := sharedDir(t)
	for range 60 {
		if out, err := command("work", dir).Output(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, limit := range []int{14, 20, 30} {
		c := command("fold", dir)
		c = exec.Command("sh", append([]string{"-c", `ulimit -n ` + strconv.Itoa(limit) + `; exec "$@"`, "sh", c.Path}, c.Args[1:]...)...)
		c.Env = append(os.Environ(), childVariable+"=fold")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("with %d descriptors: %v: %s", limit, err, out)
		}
	}
	if names := ls(t, dir, "writer-*"); len(names) != 0 {
		t.Errorf("left %q", names)
	}
	if said, err := command("page", dir).Output(); err != nil || string(said) != "c_total 60.0\n" {
		t.Errorf("the page says %q, %v", said, err)
	}
}
