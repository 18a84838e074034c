package fold

import (
	"context"
	"fmt"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// folding is one run of Fold. What makes it safe to be killed at any step:
//
//   - A file is deleted only after an archive that names it has been renamed in,
//     and readers ignore what the archive names. So it counts until the rename
//     and the archive from then on.
//   - A name leaves the archive's list only after the file's deletion is on the
//     disk. So no file that was absorbed counts again.
//   - Only dead writers are absorbed, whose numbers do not change.
//   - What was removed is asked once those are held that are absorbed next. So all that
//     an archive has is of writers that were dead before a removal of which it does not
//     know, and readers leave it out.
type folding struct {
	dir *spool.Dir
	Settings
	report *Report
	now    time.Time   // when it began
	clock  spool.Clock // likewise
	lock   *mapped.Growing
	census *python.Census // once it is needed

	remains    *estate.Remains
	start      int64 // when the newest of the writers that were absorbed began
	generation uint64
	archive    mapped.Identity            // of the file archive.seg; zero if there is none
	verdict    spool.Verdict              // on the archive
	first      segment.Moment             // when the epoch first appeared
	service    string                     // whose directory it is
	isHere     func(*segment.Header) bool // see [spool.Survey.IsHere]
	newest     segment.Header             // of the newest writer
	absorbed   []spool.Name               // files that the archive has
	forgets    bool                       // the archive names other files too, as if it had them
	applied    map[[16]byte]int64         // up to when tombstones of writers are in the archive
	carried    []segment.Tombstone        // that the archive has
	heard      []chain                    // what writers had removed when it was asked last
	silent     map[spool.Name]chain       // likewise, of dead writers: that is all
	access     *spool.Access              // of the next archive; nil until a file is known whose numbers it has
	held       []*mapped.Growing
	sizes      map[spool.Name]int64
}

func (f *folding) run(ctx context.Context) error {
	f.sizes = make(map[spool.Name]int64)
	system, err := f.dir.FileSystem()
	if err != nil {
		return err
	}
	if system.Remote && !f.Remote {
		return fmt.Errorf("it is on %s, where a writer that lives elsewhere may count as dead", system.Name)
	}
	if !f.DryRun {
		locked, err := f.begin()
		if err != nil || !locked {
			f.report.Busy = err == nil
			return err
		}
		defer f.lock.Close() //nolint:errcheck // nothing was written to it
	}
	e, h, err := f.readArchive()
	if err != nil {
		return err
	}
	names, err := f.dir.List()
	if err != nil {
		return err
	}
	if !f.DryRun {
		if err := f.finish(h); err != nil {
			return err
		}
		f.sweep(names)
	}
	s, err := f.survey(ctx, names, h)
	if err != nil {
		return err
	}
	if err := f.begunWith(s, e, h); err != nil {
		return err
	}
	if err := f.foldWriters(ctx, s); err != nil {
		return err
	}
	if f.verdict == spool.Superseded {
		return nil
	}
	if f.Python {
		if err := f.foldPython(ctx, names); err != nil {
			return err
		}
	}
	return f.renew()
}

// begin takes the lock that lets one fold run at a time.
func (f *folding) begin() (locked bool, err error) {
	f.lock, err = f.dir.LockFolds()
	if f.lock == nil {
		return false, err
	}
	f.Step("locked")
	return true, nil
}

// leave reports a file that is left alone.
func (f *folding) leave(name spool.Name, reason spool.Reason, why string) {
	f.report.Left = append(f.report.Left, leftFile{name.String(), reason, why})
}

// leaveUnread reports a file that cannot be read.
func (f *folding) leaveUnread(name spool.Name, err error) {
	f.leave(name, spool.ReasonOf(err), spool.Describe(err))
}

// look returns what the list of processes shows, which it reads once.
func (f *folding) look() *python.Census {
	if f.census == nil {
		f.census = f.Processes.Census()
	}
	return f.census
}
