//go:build unix

package metamorphic

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"telltale/multiprocess"
)

// way is how a script is run.
type way struct {
	name   string
	parent string // of the directory; empty for that of temporary files
	folds  folds
	open   func(dir string, o op, hook func(error)) (writer, error) // nil: on the heap
	stop   func(dir, number string) error

	outside bool // its processes are children, whose clocks cannot be set
}

// folds says when there are folds.
type folds uint8

const (
	asked folds = iota // where the script says so
	never
	often // where the script says so, and behind every death
)

// failure is what is wrong. Scripts that fail with the same kind fail alike.
type failure struct{ kind, text string }

func (f *failure) String() string { return f.kind + ": " + f.text }

func failed(kind, format string, args ...any) *failure {
	return &failure{kind, fmt.Sprintf(format, args...)}
}

// run is a script that is being run in a directory.
type run struct {
	way     way
	dir     string
	world   *world
	writers map[string]writer
	paths   map[string]string // of the segments, of dead processes too
	readers []*reader

	generation uint64 // of the archive

	mayFall map[string]bool // families, since readers were asked
	anyFall bool
	odd     bool // there are files that are left out

	mu   sync.Mutex
	told []error
}

// reader is one who reads the directory.
type reader struct {
	name   string
	read   func() (*page, error)
	remake func() (*multiprocess.Collector, error) // of one that goes on; nil of others
	seldom bool
	behind bool // it may take the dead for living ones for a while
	last   *page
	may    map[string]bool // families whose totals may have fallen since
	any    bool            // of all families
}

func (r *reader) mayFall(family string) bool { return r.any || r.may[family] }

// playNow is play by whatever clock it is called under.
func playNow(ops []op, how way) *failure {
	if how.open == nil {
		return playOnHeap(ops)
	}
	dir, err := os.MkdirTemp(how.parent, "telltale-metamorphic-")
	if err != nil {
		return failed("setting up", "%v", err)
	}
	r := &run{way: how, dir: dir, world: newWorld(), writers: make(map[string]writer), paths: make(map[string]string), mayFall: make(map[string]bool)}
	r.world.learns = true
	defer r.end()
	if err := r.open(); err != nil {
		return failed("setting up", "%v", err)
	}
	for i, o := range ops {
		if !r.world.can(o) {
			continue
		}
		if elapses(ops) {
			time.Sleep(pause)
		}
		wrong := r.do(o)
		if wrong == nil {
			wrong = r.check(o.verb() == "read")
		}
		if wrong != nil {
			wrong.text = fmt.Sprintf("%s\nin line %d: %v\n%s", wrong.text, i+1, o, how.name)
			return wrong
		}
	}
	return nil
}

func playOnHeap(ops []op) *failure {
	w, h := newWorld(), make(heap)
	w.alone = true
	for i, o := range ops {
		if !w.can(o) || o.verb() == "damage" { // there are no files
			continue
		}
		err := h.do(w, o)
		if w.play(o); err == nil {
			err = h.check(w)
		}
		if err != nil {
			return failed("heap", "%v\nin line %d: %v", err, i+1, o)
		}
	}
	return nil
}

func (r *run) end() {
	for _, w := range r.writers {
		_ = w.kill() // what was wrong before matters more
	}
	for _, reader := range r.readers {
		if reader.remake != nil {
			_, _ = reader.remake()
		}
	}
	_ = os.RemoveAll(r.dir)
}

// open makes the readers.
func (r *run) open() error {
	lasting := func(name string, seldom bool, opts ...multiprocess.Option) error {
		var c *multiprocess.Collector
		made := &reader{name: name, seldom: seldom, behind: true, read: func() (*page, error) { return read(c) }}
		made.remake = func() (_ *multiprocess.Collector, err error) {
			if c != nil {
				_ = c.Close() // never fails
			}
			c, err = multiprocess.NewCollector(r.dir, append(opts, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(r.hook))...)
			return c, err
		}
		r.readers = append(r.readers, made)
		_, err := made.remake()
		return err
	}
	fresh := func() (*page, error) { return readAfresh(r.dir, r.hook) }
	merge := func() (*page, error) {
		families, err := multiprocess.Merge([]string{r.dir}, true)
		if err != nil {
			r.hook(err)
		}
		return pageOf(families)
	}
	r.readers = append(r.readers, &reader{name: "a new collector", read: fresh}, &reader{name: "Merge", read: merge})
	return errors.Join(
		lasting("a collector", false),
		lasting("a collector that maps nothing", false, multiprocess.WithMappingLimits(0, 0)),
		lasting("a collector that is asked seldom", true),
	)
}

// readAfresh asks a new collector.
func readAfresh(dir string, hook func(error)) (*page, error) {
	c, err := multiprocess.NewCollector(dir, multiprocess.WithoutFolding(), multiprocess.WithErrorHook(hook))
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return read(c)
}

func (r *run) hook(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, err)
}

// do does an operation that can be done.
func (r *run) do(o op) *failure {
	var err error
	name, was := o.arg(1), len(r.writers)
	r.odd = r.odd || o.verb() == "copy" || o.verb() == "stop" || o.verb() == "damage" || o.verb() == "litter"
	switch o.verb() {
	case "open":
		var w writer
		if w, err = r.way.open(r.dir, o, r.hook); err == nil {
			r.writers[name], r.paths[name] = w, w.path()
		}
		err = r.opened(o, err)
		r.anyFall = r.anyFall || o.opt("epoch") != "" // a new one begins
	case "kill":
		r.writers[name].beat() // it lived a moment ago, and not only before the last removal elsewhere
		err = r.writers[name].kill()
		delete(r.writers, name)
		r.anyFall = r.anyFall || len(r.world.epochs) > 1
	case "copy":
		err = r.copy(r.paths[name])
	case "damage":
		r.anyFall = true
		path := r.paths[name]
		if name == "archive" {
			path = r.archive()
		}
		var there bool
		if there, err = overwrite(path, spoilt); !there {
			return nil
		}
	case "crash", "churn":
		r.mayFall[o.arg(2)] = r.mayFall[o.arg(2)] || o.verb() == "churn"
		r.anyFall = r.anyFall || len(r.world.epochs) > 1
		err = r.crash(o)
	case "python":
		err = r.countInPython(o)
	case "mark":
		err = r.mark(r.world.process(name))
	case "shift":
		err = shift(r.paths[name], o.arg(2), r.world.process(name).lives)
	case "reboot":
		err = reboot(r.paths[name])
	case "mend":
		_, err = overwrite(r.archive(), whole)
	case "clone":
		return r.clone()
	case "litter":
		err = r.litter(name)
	case "reopen":
		for _, reader := range r.readers {
			if reader.remake != nil && err == nil {
				_, err = reader.remake()
			}
		}
		r.anyFall = r.anyFall || r.world.isDamaged()
	case "fold":
		if r.way.folds == never {
			return nil
		}
		err = r.fold()
	case "stop":
		if r.way.folds == never {
			return nil
		}
		err = r.stop(name)
	case "elapse":
		r.anyFall = true
		err = r.elapse(o)
	case "read":
	default:
		if o.verb() == "remove" || o.verb() == "clear" || o.verb() == "replace" {
			r.mayFall[o.arg(2)] = true
		}
		err = r.writers[name].do(o)
	}
	if err != nil {
		return failed("error", "%v", err)
	}
	if o.verb() == "crash" || o.verb() == "churn" {
		if err := r.learn(o); err != nil {
			return failed("learned", "%v", err)
		}
	}
	r.world.play(o)
	if was > len(r.writers) && r.way.folds == often {
		if err := r.fold(); err != nil {
			return failed("error", "%v", err)
		}
	}
	return nil
}

// copy copies a segment under the name of another writer, if it is there.
func (r *run) copy(path string) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, otherName()), content, 0o600)
}

// otherName is the name of a writer that there is not.
func otherName() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return "writer-" + hex.EncodeToString(id[:]) + ".seg"
}

// litter puts a file into the directory that no writer has written.
func (r *run) litter(kind string) error {
	path := filepath.Join(r.dir, otherName())
	switch kind {
	case "noise":
		noise := make([]byte, 40<<10)
		_, _ = rand.Read(noise) // never fails
		return os.WriteFile(path, noise, 0o600)
	case "sparse":
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<30))
	case "directory":
		return os.Mkdir(path, 0o700)
	case "dangling":
		return os.Symlink("nowhere", path)
	case "foreign":
		return os.WriteFile(filepath.Join(r.dir, "README"), []byte("What is this?"), 0o600)
	}
	return os.WriteFile(path, nil, 0o600)
}

// check asks all readers and holds their pages against the world and each other.
func (r *run) check(all bool) *failure {
	var pages []*reader
	for _, reader := range r.readers {
		for family := range r.mayFall {
			if reader.may == nil {
				reader.may = make(map[string]bool)
			}
			reader.may[family] = true
		}
		reader.any = reader.any || r.anyFall || reader.behind && len(r.world.epochs) > 1 // it sees late that an epoch has no live writer
	}
	clear(r.mayFall)
	r.anyFall = false
	for _, reader := range r.readers {
		if reader.seldom && !all {
			continue
		}
		page, err := reader.read()
		if err != nil {
			return failed("error", "%s: %v", reader.name, err)
		}
		if reader.last != nil {
			if wrong := page.falls(reader.last, reader.mayFall); wrong != "" {
				return failed("falls", "%s: %s", reader.name, wrong)
			}
		}
		reader.last, reader.any = page, false
		clear(reader.may)
		if wrong := r.world.wrong(page, reader.behind, r.world.epochsSeen(reader.behind)); wrong != "" {
			return failed("total", "%s: %s", reader.name, wrong)
		}
		if !reader.behind {
			pages = append(pages, reader)
		}
	}
	for _, reader := range pages[1:] {
		if wrong := pages[0].last.differs(reader.last); wrong != "" {
			return failed("readers differ", "%s and %s: %s", pages[0].name, reader.name, wrong)
		}
	}
	if names := sorted(r.writers); len(names) > 0 {
		if wrong := r.checkOwn(names[r.world.step%len(names)]); wrong != nil { // one after the other
			return wrong
		}
	}
	return r.checkTold()
}

// checkOwn asks the registry of a process.
func (r *run) checkOwn(name string) *failure {
	page, err := r.writers[name].read()
	if err != nil {
		return failed("error", "the registry of %s: %v", name, err)
	}
	if page == nil {
		return nil
	}
	if wrong := r.world.wrong(page, true, r.epochsOf(r.world.process(name))); wrong != "" {
		return failed("total", "the registry of %s: %s", name, wrong)
	}
	return nil
}

// checkTold fails if error hooks were told something where all is well.
func (r *run) checkTold() *failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	for _, err := range told {
		if !r.expected(err) {
			return failed("told", "%v", err)
		}
	}
	return nil
}

// expected reports whether the error may be told: of files that are no segments, of
// copies, of epochs and of editions.
func (r *run) expected(err error) bool {
	var left *multiprocess.FileError
	var conflict *multiprocess.ConflictError
	switch {
	case errors.As(err, &left):
		return r.odd || len(r.world.epochs) > 1
	case errors.As(err, &conflict):
		return slices.ContainsFunc(r.world.processes, func(p *process) bool { return p.edition != r.world.processes[0].edition })
	}
	return false
}
