package multiprocess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

// procRoot is where Linux lists its processes.
const procRoot = "/proc"

// processes is where the system lists its processes, as proc(5) has it.
type processes struct{ root string }

// census is what the list of processes showed: those there are, and which of
// Python's files they have.
type census struct {
	processes
	pids    map[string]bool
	writing map[mapped.Identity]string // the process that has the file mapped for writing
	open    map[string]string          // the process that has a file *.db of that name open
	hidden  map[uint32]string          // users who have a process whose mappings are hidden, and that process
	blind   string                     // why there may be processes that are not shown; empty if there are none
	checked bool                       // mappings are shown by the identities that files have
}

const (
	// firstNamespace is what the PID namespace of the system itself is called
	// (proc_ns.h of Linux): from no other one all processes can be seen.
	firstNamespace = "pid:[4026531836]"
	// rounds is how often the list is read until it has no processes that are new.
	rounds = 20
)

// census reads the list. It cannot fail: what is not shown is unknown.
func (p processes) census() *census {
	c := &census{
		processes: p,
		pids:      make(map[string]bool), writing: make(map[mapped.Identity]string),
		open: make(map[string]string), hidden: make(map[uint32]string),
	}
	namespace, err := os.Readlink(filepath.Join(p.root, "self", "ns", "pid"))
	switch {
	case err != nil:
		c.blind = "the system does not show what processes have mapped"
	case namespace != firstNamespace:
		c.blind = "this process runs in a PID namespace of its own (a container), from where those of others cannot be seen"
	}
	for round := 0; c.round(); round++ {
		// A process may have handed its mappings to a child and ended before it
		// was its turn: the next list has the child.
		if round == rounds {
			c.blind = "processes come and go too fast"
			break
		}
	}
	if c.blind == "" && !c.pids["1"] {
		c.blind = "not all processes are shown (hidepid of proc(5))"
	}
	return c
}

// round looks at the processes that were not there in the round before, and
// reports whether there were any.
func (c *census) round() (fresh bool) {
	dir, err := os.Open(c.root)
	if err != nil {
		return false
	}
	names, err := dir.Readdirnames(-1)
	_ = dir.Close() // it was only read from
	if err != nil {
		c.blind = "the list of processes cannot be read: " + err.Error()
	}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' || c.pids[name] {
			continue
		}
		c.pids[name], fresh = true, true
		c.look(name)
	}
	return fresh
}

// look finds out what a process has mapped and open.
func (c *census) look(pid string) {
	err := c.readMaps(pid, func(id mapped.Identity, writes bool) {
		if writes {
			c.writing[id] = pid
		}
	})
	if err != nil && !gone(err) {
		if user, _, ok := ownerOf(filepath.Join(c.root, pid)); ok {
			c.hidden[user] = pid
		} else {
			c.blind = "the mappings of process " + pid + " cannot be read"
		}
		return
	}
	fds := filepath.Join(c.root, pid, "fd")
	dir, err := os.Open(fds)
	if err != nil {
		return // it has ended, or its mappings are hidden too
	}
	names, _ := dir.Readdirnames(-1)
	_ = dir.Close() // it was only read from
	for _, name := range names {
		if path, err := os.Readlink(filepath.Join(fds, name)); err == nil && strings.HasSuffix(path, spool.PythonSuffix) {
			c.open[filepath.Base(path)] = pid
		}
	}
}

func (p processes) readMaps(pid string, found func(id mapped.Identity, writes bool)) error {
	maps, err := os.Open(filepath.Join(p.root, pid, "maps"))
	if err != nil {
		return err
	}
	defer maps.Close() //nolint:errcheck // it was only read from
	return mapped.ReadMaps(maps, found)
}

// gone reports whether an error says that a process has ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// runs reports whether there is a process of that number in sight.
func (c *census) runs(pid string) bool {
	if len(c.pids) > 0 {
		return c.pids[pid]
	}
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 {
		return false
	}
	p, err := os.FindProcess(n)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// liveness is what can be said of the process that writes a file.
type liveness int

const (
	alive    liveness = iota // it has the file mapped
	doubtful                 // something in sight may be it
	unseen                   // nothing in sight is it, and not all is in sight
	dead
)

// judge says whether the process that wrote one of Python's files lives, and
// why.
func (c *census) judge(dir *spool.Dir, name spool.Name, pid string, id mapped.Identity) (liveness, string) {
	if by, ok := c.writing[id]; ok {
		return alive, "process " + by + " has it mapped"
	}
	if by, ok := c.open[name.String()]; ok {
		return doubtful, "process " + by + " has it open"
	}
	if c.runs(pid) {
		return doubtful, "a process " + pid + " is running"
	}
	if c.blind != "" {
		return unseen, c.blind
	}
	info, err := dir.Stat(name)
	if err != nil {
		return unseen, "its owner is not known"
	}
	for _, user := range []uint32{0, info.UID} {
		if by, ok := c.hidden[user]; ok {
			return unseen, "the mappings of process " + by + " are not shown to this user"
		}
	}
	if info.Perm&0o022 != 0 {
		for _, by := range c.hidden {
			return unseen, "it may be written by users other than its owner, and the mappings of process " + by + " are not shown to this user"
		}
	}
	if !c.checked {
		if c.checked = c.shows(dir, name, id); !c.checked {
			return unseen, "its file system shows mappings under other numbers than those of the file"
		}
	}
	return dead, "no process has it mapped"
}

// look returns what the list of processes shows, which it reads once.
func (f *folding) look() *census {
	if f.census == nil {
		f.census = f.processes.census()
	}
	return f.census
}

// isAlive reports whether a process in sight has the file mapped for writing.
func (c *census) isAlive(id mapped.Identity) bool { return c.writing[id] != "" }

// shows maps a file and reports whether the list shows that.
func (p processes) shows(dir *spool.Dir, name spool.Name, id mapped.Identity) (found bool) {
	file, err := dir.Read(name)
	if err != nil {
		return false
	}
	defer file.Close()
	region, err := file.Map(headerSize)
	if err != nil {
		return false
	}
	defer region.Unmap()
	err = p.readMaps("self", func(mapping mapped.Identity, _ bool) { found = found || mapping == id })
	return found && err == nil
}
