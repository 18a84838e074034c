package multiprocess

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
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
	KindSendLock  FileKind = "sendlock"  // held by the process that sends the directory's metrics
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
	Service    string `json:"service,omitempty"`    // whose directory it is ([WithService])
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
	path, err := resolveDirectory(dir)
	if err != nil {
		return nil, err
	}
	return inspect(path, nil)
}

func inspect(path string, hook mapped.Hook) ([]FileReport, error) {
	dir, err := spool.Open(path, hook)
	if err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	defer dir.Close()
	names, err := dir.List()
	if err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	system, _ := dir.FileSystem() // a name that is not known is left out
	i := inspector{dir: dir, Processes: python.Processes{Root: python.ProcRoot}}
	reports := make([]FileReport, 0, len(names))
	for _, name := range names {
		r := FileReport{Name: name.String(), Kind: fileKinds[name.Kind()], FileSystem: system.Name}
		if name.Claimed() {
			r.Reason, r.Error = spool.ReasonName, "its name is none that a writer gives"
		}
		if err := i.inspect(&r, name); err != nil {
			failure := spool.NewFileError("", err)
			if failure.Reason == spool.ReasonVanished {
				continue
			}
			r.Reason, r.Error = failure.Reason, spool.Describe(err)
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// fileKinds are the kinds of files by the kinds of their names.
var fileKinds = map[spool.Kind]FileKind{
	spool.Foreign: KindForeign, spool.Writer: KindWriter, spool.Archive: KindArchive, spool.FoldLock: KindLock,
	spool.SendLock: KindSendLock, spool.FoldNotes: KindNotes, spool.Temporary: KindTemporary,
	spool.Python: KindPython, spool.Aside: KindAside,
}

// inspector inspects the files of a directory.
type inspector struct {
	dir *spool.Dir
	python.Processes
	seen *python.Census // once it is needed
}

func (i *inspector) inspect(r *FileReport, name spool.Name) error {
	info, err := i.dir.Stat(name)
	if err != nil {
		return err
	}
	irregular := info.CheckRegular()
	if irregular == nil {
		r.Size = info.Size
	} else if r.Kind != KindForeign {
		return irregular
	}
	switch r.Kind {
	case KindWriter, KindArchive:
		return i.segment(r, name)
	case KindPython, KindAside:
		return i.python(r, name, &info)
	case KindTemporary, KindLock, KindSendLock:
		return i.lock(r, name)
	case KindNotes:
		_, err := python.ReadNotes(i.dir)
		return err
	}
	return nil
}

// lock finds out whether a file is locked.
func (i *inspector) lock(r *FileReport, name spool.Name) error {
	r.Alive, r.Why = AliveUnknown, "the system does not tell"
	file, err := i.dir.Read(name)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // that is no damage
		}
		return err
	}
	defer file.Close()
	if locked, err := file.Locked(); err == nil {
		r.Alive, r.Why = lockLiveness(locked)
	}
	return nil
}

func lockLiveness(locked bool) (Liveness, string) {
	if locked {
		return Alive, "it is locked"
	}
	return Dead, "nobody has it locked"
}

// segment inspects a writer's segment or the archive.
func (i *inspector) segment(r *FileReport, name spool.Name) error {
	file, err := i.dir.Read(name)
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
	b, err := spool.Begin(file)
	r.Size = b.Info.Size
	if err != nil {
		return err
	}
	r.describe(&b)
	if err := spool.Fits(name, &b.Header); err != nil {
		return err
	}
	var u segment.Usage
	err = b.Read(file, i.dir.MaxRead, func(c *spool.Contents) (err error) {
		u, err = segment.UsageOf(c)
		return err
	})
	r.Families, r.Series, r.Absorbed = u.Families, u.Series, len(u.Taken.Writers)+len(u.Taken.Aside)
	r.Used, r.Garbage = int64(u.Bytes), int64(u.Garbage)
	if err != nil || r.Kind != KindArchive {
		return err
	}
	return i.absorbed(&b.Header, &u.Taken)
}

// absorbed returns an error if an archive names files that it cannot have taken up.
func (i *inspector) absorbed(archive *segment.Header, taken *segment.Taken) error {
	names, err := spool.Absorbed(taken)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name.Kind() != spool.Writer {
			continue
		}
		file, err := i.dir.Read(name)
		if err != nil {
			continue // it was deleted, or has an error of its own
		}
		locked, unknown := file.Locked()
		b, err := spool.Begin(file)
		file.Close()
		if err == nil && unknown == nil && !spool.Taken(archive, &b.Header, locked && !b.Signs.Dead) {
			return spool.Defectf(spool.ReasonCorrupt, "it says that it has taken up %s, whose writer lives or is younger", name)
		}
	}
	return nil
}

// describe takes over what the beginning of a segment says.
func (r *FileReport) describe(b *spool.Beginning) {
	h := &b.Header
	r.ID, r.Epoch, r.Writer, r.Host = hex.EncodeToString(h.ID[:]), h.Epoch, h.Writer, h.Host
	r.Generation, r.Namespace, r.Service = h.Generation, h.Namespace, h.Service
	r.Start = time.Unix(0, h.Start).UTC()
	if h.Boot != [16]byte{} {
		r.Boot = hex.EncodeToString(h.Boot[:])
	}
	if h.Kind != segment.KindWriter {
		return
	}
	r.PID = strconv.FormatUint(h.PID, 10)
	r.Closed, r.Spilled = b.Signs.Closed, b.Signs.Spilled
	if b.Signs.Beat != 0 {
		r.LastBeat = time.Unix(0, b.Signs.Beat).UTC()
	}
	if b.Signs.Dead {
		r.Alive, r.Why = Dead, "a fold found it dead"
	}
}

// python inspects a file of Python's client.
func (i *inspector) python(r *FileReport, name spool.Name, info *mapped.Info) error {
	file, err := python.NewFiles(&spool.Reading{Dir: i.dir}).File(spool.Place{Path: i.dir.PathOf(name), Name: name})
	if err != nil {
		return err
	}
	r.PID = file.PID()
	if i.seen == nil {
		i.seen = i.Census()
	}
	is, why := i.seen.Judge(i.dir, name, r.PID, info.Identity)
	r.Why = why
	switch is {
	case python.Alive:
		r.Alive = Alive
	case python.Dead:
		r.Alive = Dead
	default:
		r.Alive = AliveUnknown
	}
	defer file.Close()
	c := catalog.New()
	if _, err := file.Update(c); err != nil {
		return err
	}
	c.Settle([]catalog.Source{file})
	r.Families, r.Series = len(c.Present), c.Count()
	_, r.Used = file.Size()
	return nil
}
