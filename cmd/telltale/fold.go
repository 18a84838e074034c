package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"telltale/multiprocess"
)

// fold is the verb that folds the files of dead writers into one.
type fold struct {
	DryRun    bool    `help:"Change nothing; print what would be done."`
	DeadAfter span    `help:"Treat a file of Python's client as that of a dead process once folds have found it unchanged for this long (10m, 2h), where live processes cannot be seen." placeholder:"DURATION"`
	Epoch     *string `help:"Fold this epoch, and drop dead writers of other epochs; by default, of the epochs that live writers have, the one that first appeared last." placeholder:"EPOCH"`
	Remote    bool    `help:"Fold even if DIR is on a file system of another machine or of the host (NFS, 9p, virtiofs, FUSE), where a live writer elsewhere may count as dead."`
	JSON      bool    `name:"json" help:"Print a JSON object with what was done."`
	Dir       operand `arg:"" help:"The directory that the writers write to."`
}

// Help is what kong prints below the usage.
func (*fold) Help() string {
	return `The files of ended writers in DIR are added up in one file there, archive.seg. Totals do not change. Writers, readers and other folds may run at the same time, and a fold that is killed loses nothing.

A file of Python's prometheus_client is folded if its process has certainly ended: where this program sees all processes (as root on Linux, outside of containers), if telltale's mark_process_dead put the file aside, or with --dead-after. Python's own MultiProcessCollector does not read folded files.

Files that were not folded are listed, with the reason. Files of processes that live, or may live, are left on purpose; the exit status is 1 if any other file is left: because it is damaged, is not a writer's file, or cannot be deleted.`
}

// maxEpoch is the largest length of an epoch in bytes, for all writers.
const maxEpoch = 63

// Validate is called by kong when it has parsed the flags.
func (f *fold) Validate() error {
	if f.Epoch != nil && len(*f.Epoch) > maxEpoch {
		return fmt.Errorf("--epoch: it has %d bytes; an epoch has at most %d", len(*f.Epoch), maxEpoch)
	}
	return nil
}

// Run folds the directory.
func (f *fold) Run(ctx context.Context, out output, diag diagnostics) error {
	opts := []multiprocess.FoldOption{multiprocess.WithPythonFiles(), multiprocess.WithDeadAfter(time.Duration(f.DeadAfter))}
	if f.DryRun {
		opts = append(opts, multiprocess.WithDryRun())
	}
	if f.Epoch != nil {
		opts = append(opts, multiprocess.WithEpoch(*f.Epoch))
	}
	if f.Remote {
		opts = append(opts, multiprocess.WithRemoteFileSystem())
	}
	done := diag.during("folding "+printable(string(f.Dir)), nil)
	report, err := multiprocess.Fold(ctx, string(f.Dir), opts...)
	done()
	if err == nil && report.Busy {
		return fmt.Errorf("another process is folding %s", f.Dir)
	}
	switch {
	case report != nil && f.JSON:
		err = errors.Join(err, writeJSON(out, report))
	case err == nil || !isEmpty(report):
		err = errors.Join(err, f.print(report, out))
	}
	if n := faulty(report.Left); n > 0 {
		err = errors.Join(err, fmt.Errorf("not everything was folded: %s left", counted(n, "file")))
	}
	return err
}

// isEmpty reports whether a fold found nothing.
func isEmpty(r *multiprocess.FoldReport) bool {
	return len(r.Absorbed)+len(r.Dropped)+len(r.Swept)+len(r.Left) == 0
}

// faulty returns the number of files that were left for a reason that an
// operator should look at. Files whose writers live, or may, are folded once
// they have ended.
func faulty(left []multiprocess.LeftFile) (n int) {
	for _, l := range left {
		switch l.Reason {
		case multiprocess.ReasonAlive, multiprocess.ReasonUnknown, multiprocess.ReasonVanished:
		default:
			n++
		}
	}
	return n
}

// print prints what was done to each file.
func (f *fold) print(report *multiprocess.FoldReport, out output) error {
	if isEmpty(report) {
		_, err := fmt.Fprintf(out, "Nothing is there to be folded in %s.\n", printable(string(f.Dir)))
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, what, why string) {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", printable(name), what, printable(why))
	} // Flush returns the error
	line("FILE", "WHAT", "WHY")
	for _, name := range report.Absorbed {
		line(name, "folded", "its writer has ended")
	}
	for _, name := range report.Dropped {
		line(name, "deleted", fmt.Sprintf("it is not of epoch %q", report.Epoch))
	}
	for _, name := range report.Swept {
		line(name, "deleted", "its process died while it was made")
	}
	for _, l := range slices.SortedFunc(slices.Values(report.Left), func(a, b multiprocess.LeftFile) int { return strings.Compare(a.Name, b.Name) }) {
		line(l.Name, "left", fmt.Sprintf("%s: %s", l.Reason, l.Why))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	format := "\nFolded %d files and left %d alone; %d bytes are free again; the archive has generation %d; it took %v.\n"
	if f.DryRun {
		format = "\nNothing was changed: would fold %d files and leave %d alone; %d bytes would be free again; the archive has generation %d; it took %v.\n"
	}
	_, err := fmt.Fprintf(out, format, len(report.Absorbed), len(report.Left), report.Freed, report.Generation, report.Duration.Round(time.Millisecond))
	return err
}
