package python

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

// ProcRoot is where Linux lists its processes.
const ProcRoot = "/proc"

// Processes is where the system lists its processes, as proc(5) has it.
type Processes struct{ Root string }

// Census is what the list of processes showed: those there are, and which of
// Python's files they have.
type Census struct {
	Processes
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

// Census reads the list. It cannot fail: what is not shown is unknown.
func (p Processes) Census() *Census {
	c := &Census{
		Processes: p,
		pids:      make(map[string]bool), writing: make(map[mapped.Identity]string),
		open: make(map[string]string), hidden: make(map[uint32]string),
	}
	namespace, err := os.Readlink(filepath.Join(p.Root, "self", "ns", "pid"))
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
func (c *Census) round() (fresh bool) {
	dir, err := os.Open(c.Root)
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
func (c *Census) look(pid string) {
	err := c.readMaps(pid, func(id mapped.Identity, writes bool) {
		if writes {
			c.writing[id] = pid
		}
	})
	if err != nil && !gone(err) {
		if user, _, ok := ownerOf(filepath.Join(c.Root, pid)); ok {
			c.hidden[user] = pid
		} else {
			c.blind = "the mappings of process " + pid + " cannot be read"
		}
		return
	}
	fds := filepath.Join(c.Root, pid, "fd")
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

func (p Processes) readMaps(pid string, found func(id mapped.Identity, writes bool)) error {
	maps, err := os.Open(filepath.Join(p.Root, pid, "maps"))
	if err != nil {
		return err
	}
	defer maps.Close() //nolint:errcheck // it was only read from
	return mapped.ReadMaps(maps, found)
}

// gone reports whether an error says that a process has ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// runs reports whether there is a process of that number in sight.
func (c *Census) runs(pid string) bool {
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

// Liveness is what can be said of the process that writes a file.
type Liveness int

// What can be said.
const (
	Alive    Liveness = iota // it has the file mapped
	Doubtful                 // something in sight may be it
	Unseen                   // nothing in sight is it, and not all is in sight
	Dead
)

// Judge says whether the process that wrote one of Python's files lives, and
// why.
func (c *Census) Judge(dir *spool.Dir, name spool.Name, pid string, id mapped.Identity) (Liveness, string) {
	if by, ok := c.writing[id]; ok {
		return Alive, "process " + by + " has it mapped"
	}
	if by, ok := c.open[name.String()]; ok {
		return Doubtful, "process " + by + " has it open"
	}
	if c.runs(pid) {
		return Doubtful, "a process " + pid + " is running"
	}
	if c.blind != "" {
		return Unseen, c.blind
	}
	info, err := dir.Stat(name)
	if err != nil {
		return Unseen, "its owner is not known"
	}
	for _, user := range []uint32{0, info.UID} {
		if by, ok := c.hidden[user]; ok {
			return Unseen, "the mappings of process " + by + " are not shown to this user"
		}
	}
	if info.Perm&0o022 != 0 {
		for _, by := range c.hidden {
			return Unseen, "it may be written by users other than its owner, and the mappings of process " + by + " are not shown to this user"
		}
	}
	if !c.checked {
		if c.checked = c.shows(dir, name, id); !c.checked {
			return Unseen, "its file system shows mappings under other numbers than those of the file"
		}
	}
	return Dead, "no process has it mapped"
}

// IsAlive reports whether a process in sight has the file mapped for writing.
func (c *Census) IsAlive(id mapped.Identity) bool { return c.writing[id] != "" }

// shows maps a file and reports whether the list shows that.
func (p Processes) shows(dir *spool.Dir, name spool.Name, id mapped.Identity) (found bool) {
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
