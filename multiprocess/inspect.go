package multiprocess

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// FileKind says what a file in a directory is, by its name.
type FileKind string

// The kinds of file.
const (
	KindWriter    FileKind = "writer"    // the segment of a process
	KindArchive   FileKind = "archive"   // what dead writers left
	KindPython    FileKind = "python"    // of Python's client
	KindAside     FileKind = "aside"     // one of Python's client that is being folded
	KindTemporary FileKind = "temporary" // of a writer or a fold that has just begun, or died then
	KindLock      FileKind = "lock"      // held while folding
	KindNotes     FileKind = "notes"     // since when files of Python's client have not changed
	KindForeign   FileKind = "foreign"   // none of telltale's
)

// Liveness says whether the process lives that writes a file.
type Liveness string

// What is known of a process.
const (
	Alive        Liveness = "yes"
	Dead         Liveness = "no"
	AliveUnknown Liveness = "unknown"
)

// FileReport is what [Inspect] finds of a file. What does not apply to a file of
// its kind, or is not known, is zero, and left out of the JSON, whose names do not
// change. Times are UTC.
type FileReport struct {
	Name       string   `json:"name"`
	Kind       FileKind `json:"kind"`
	FileSystem string   `json:"file_system,omitempty"` // of the directory, such as tmpfs or ext4

	// Of the process that writes it.
	Alive     Liveness  `json:"alive,omitempty"`
	Why       string    `json:"why,omitempty"`    // it is taken for alive or dead, or is unknown
	Writer    string    `json:"writer,omitempty"` // its configured name
	PID       string    `json:"pid,omitempty"`    // or whatever else identifies a process of Python's client
	Host      string    `json:"host,omitempty"`
	Boot      string    `json:"boot,omitempty"`           // the system's boot in which it runs
	Namespace uint64    `json:"pid_namespace,omitempty"`  // the inode of its PID namespace
	Start     time.Time `json:"start,omitzero"`           // when its segment was made; of an archive, the newest one's in it
	LastBeat  time.Time `json:"last_beat,omitzero"`       // when it was last busy with its segment
	Closed    bool      `json:"closed,omitempty"`         // it ended in good order
	Spilled   uint64    `json:"spilled_series,omitempty"` // that did not fit into its segment

	// Of what is in it.
	ID         string `json:"id,omitempty"`
	Epoch      string `json:"epoch,omitempty"`
	Generation uint64 `json:"generation,omitempty"` // of an archive
	Absorbed   int    `json:"absorbed,omitempty"`   // files that an archive names as taken up
	Families   int    `json:"families"`
	Series     int    `json:"series"`
	Used       int64  `json:"used_bytes"`    // bytes that count
	Garbage    int64  `json:"garbage_bytes"` // of these, bytes that nobody reads any more
	Size       int64  `json:"size_bytes"`    // of the file

	// Health: both are empty where all is well.
	Reason Reason `json:"reason,omitempty"` // for which it cannot be read
	Error  string `json:"error,omitempty"`
}

// Inspect says what the files in dir are, sorted by name. If dir is empty, the
// environment variable PROMETHEUS_MULTIPROC_DIR names it. It changes nothing,
// takes no lock, and may run beside writers, readers and folds; a file that
// vanished meanwhile is not among the reports. Damaged files have a reason and an
// error in their report. It is an error if the directory cannot be read. It is
// safe for concurrent use.
func Inspect(dir string) ([]FileReport, error) {
	dir, err := resolveDirectory(dir)
	if err != nil {
		return nil, err
	}
	names, err := entries(dir)
	if err != nil {
		return nil, err
	}
	system, _ := mapped.FileSystemOf(dir) // a name that is not known is left out
	i := inspector{dir: dir, processes: processes{procRoot}}
	reports := make([]FileReport, 0, len(names))
	for _, name := range names {
		r := FileReport{Name: name, Kind: kindOf(name), FileSystem: system.Name}
		if err := i.inspect(&r); err != nil {
			failure := fileError(name, err)
			if failure.Reason == ReasonVanished {
				continue
			}
			r.Reason, r.Error = failure.Reason, err.Error()
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// kindOf tells a file's kind from its name.
func kindOf(name string) FileKind {
	switch {
	case name == archiveName:
		return KindArchive
	case name == foldLockName:
		return KindLock
	case name == foldNotesName:
		return KindNotes
	case strings.HasPrefix(name, temporary):
		return KindTemporary
	case isWriterName(name):
		return KindWriter
	case !strings.HasSuffix(name, suffix) || strings.HasPrefix(name, "."):
		return KindForeign
	}
	if _, aside := withoutAside(name); aside {
		return KindAside
	}
	return KindPython
}

// inspector inspects the files of a directory.
type inspector struct {
	dir string
	processes
	seen *census // once it is needed
}

func (i *inspector) inspect(r *FileReport) error {
	path := filepath.Join(i.dir, r.Name)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		r.Size = info.Size()
	} else if r.Kind != KindForeign {
		return errors.Join(notRegular(path), errors.New(info.Mode().Type().String()))
	}
	switch r.Kind {
	case KindWriter, KindArchive:
		return i.segment(r, path)
	case KindPython, KindAside:
		return i.python(r, path)
	case KindTemporary, KindLock:
		r.Alive, r.Why = AliveUnknown, "the system does not tell"
		if locked, err := mapped.Probe(path); err == nil {
			r.Alive, r.Why = lockLiveness(locked)
		}
	}
	return nil
}

func notRegular(path string) error {
	info, err := mapped.Lstat(path)
	if err != nil {
		return err
	}
	return checkRegular(info)
}

func lockLiveness(locked bool) (Liveness, string) {
	if locked {
		return Alive, "it is locked"
	}
	return Dead, "nobody has it locked"
}

// segment inspects a writer's segment or the archive.
func (i *inspector) segment(r *FileReport, path string) error {
	file, err := mapped.OpenNoFollow(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if r.Kind == KindWriter {
		r.Alive, r.Why = AliveUnknown, "the system does not tell"
		if locked, err := file.Locked(); err == nil {
			r.Alive, r.Why = lockLiveness(locked)
		}
	}
	for again := 0; ; again++ {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		r.Size = info.Size
		grew, err := r.readSegment(file)
		if !grew || again == 3 {
			return err
		}
	}
}

// readSegment reads a segment, and reports whether it has grown meanwhile.
func (r *FileReport) readSegment(file *mapped.File) (grew bool, err error) {
	if r.Size == 0 {
		return false, defectf(ReasonEmpty, "it has no bytes")
	}
	if r.Size < segment.HeaderSize {
		return false, defectf(ReasonTruncated, "it has %d bytes, less than a header", r.Size)
	}
	if int64(int(r.Size)) != r.Size {
		return false, defectf(ReasonRead, "its %d bytes are too many to be mapped", r.Size)
	}
	if !mapped.Supported {
		if r.Size > tooLarge {
			return false, defectf(ReasonRead, "its %d bytes are too many to be read", r.Size)
		}
		whole := bytesOf(make([]uint64, (r.Size+7)/8))[:r.Size]
		if _, err := file.ReadAt(whole, 0); err != nil {
			return false, err
		}
		return r.weigh(whole)
	}
	region, err := file.Map(int(r.Size))
	if err != nil {
		return false, err
	}
	defer region.Unmap()
	fault := region.Guard(func() { grew, err = r.weigh(region.Bytes()) })
	return grew, errors.Join(fault, err)
}

// weigh finds out what the bytes of a segment are.
func (r *FileReport) weigh(bytes memory) (grew bool, err error) {
	h, err := segment.DecodeHeader(bytes)
	if err != nil {
		return false, err
	}
	r.ID, r.Epoch, r.Writer, r.Host = hex.EncodeToString(h.ID[:]), h.Epoch, h.Writer, h.Host
	r.Generation, r.Namespace = h.Generation, h.Namespace
	r.Start = time.Unix(0, h.Start).UTC()
	if h.Boot != [16]byte{} {
		r.Boot = hex.EncodeToString(h.Boot[:])
	}
	if h.Kind == segment.KindWriter {
		r.PID = processID(&h)
		signs := segment.SignsOf(bytes)
		r.Closed, r.Spilled = signs.Closed, signs.Spilled
		if signs.Beat != 0 {
			r.LastBeat = time.Unix(0, signs.Beat).UTC()
		}
		if signs.Dead {
			r.Alive, r.Why = Dead, "a fold found it dead"
		}
	}
	if (h.Kind == segment.KindArchive) != (r.Kind == KindArchive) {
		return false, defectf(ReasonCorrupt, "its name is that of a segment of another kind")
	}
	if used := segment.Published(bytes); used > uint64(len(bytes)) {
		return true, defectf(ReasonTruncated, "it says that %d bytes are used, and has %d", used, len(bytes))
	}
	u, err := segment.UsageOf(bytes)
	r.Families, r.Series, r.Absorbed = u.Families, u.Series, u.Absorbed
	r.Used, r.Garbage = int64(u.Bytes), int64(u.Garbage)
	return false, err
}

// python inspects a file of Python's client.
func (i *inspector) python(r *FileReport, path string) error {
	_, pid, err := parsePythonName(r.Name)
	if err != nil {
		return err
	}
	r.PID = pid
	info, err := mapped.Lstat(path)
	if err != nil {
		return err
	}
	if i.seen == nil {
		i.seen = i.census()
	}
	is, why := i.seen.judge(path, pid, info.Identity)
	r.Why = why
	switch is {
	case alive:
		r.Alive = Alive
	case dead:
		r.Alive = Dead
	default:
		r.Alive = AliveUnknown
	}
	m := newMerger(&settings{})
	file := m.open(place{path: path})
	defer m.close(file)
	if _, err := file.source.update(); err != nil {
		return err
	}
	m.catalog.settle([]source{file.source})
	r.Families, r.Series = len(m.catalog.present), m.catalog.count()
	_, r.Used = file.source.size()
	return nil
}
