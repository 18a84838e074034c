package multiprocess_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale"
	"telltale/internal/mapped"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/segment"
)

func init() {
	children["lastdescriptor"] = func(args []string) error { return collectByLastDescriptor(args[0]) }
}

// collectByLastDescriptor removes a series, and collects when the process has no other
// descriptor than the spare one of the collector's directory, while its store publishes more
// than is mapped of its segment.
func collectByLastDescriptor(dir string) error {
	store, err := multiprocess.Open(dir, multiprocess.WithoutFolding())
	if err != nil {
		return err
	}
	in := telltale.In(telltale.NewRegistry(telltale.WithStore(store)))
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"n"}, in))
	other := telltale.Must(telltale.NewCounterVec("other", "", []string{"n"}, in))
	c.With("removed").Inc()
	n, goesOn := 0, false
	reader, err := multiprocess.NewCollector(dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(func(err error) { fmt.Println("told", err) }),
		multiprocess.WithFiles(func(op mapped.Op, name string, size int64) (int64, error) {
			if goesOn && op == mapped.OpMap && name == filepath.Base(store.String()) {
				for range 1000 {
					n++
					label := strings.Repeat("long ", 50) + fmt.Sprint(n)
					other.With(label).Inc()
					other.Remove(label)
				}
			}
			return size, nil
		}))
	if err != nil {
		return err
	}
	if _, err := telltale.GenerateLatest(reader); err != nil {
		return err
	}
	c.Remove("removed")
	var held []*os.File // which are closed with the process
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, file)
	}
	goesOn = true // and it is mapped
	page, err := telltale.GenerateLatest(reader)
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "c_total{") {
			fmt.Print(line)
		}
	}
	fmt.Println(n > 0, len(held) > 0, err)
	return nil
}

// What a writer publishes behind what is mapped is read though there is no descriptor but
// the spare one.
func TestCollectByTheLastDescriptor(t *testing.T) {
	dir := sharedDir(t)
	leaves(t, dir, "", "c", "removed", "stays")
	counting(t, dir, segment.Header{}, 1)
	c := exec.Command("sh", "-c", `ulimit -n 40; exec "$@"`, "sh", os.Args[0], dir)
	c.Env = append(os.Environ(), childVariable+"=lastdescriptor")
	said, err := c.CombinedOutput()
	if want := "c_total{n=\"stays\"} 1.0\ntrue true <nil>\n"; err != nil || string(said) != want {
		t.Errorf("%v, %s, want %s", err, said, want)
	}
}
