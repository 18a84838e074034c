package main

import (
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"telltale/multiprocess"
)

// inspect is the verb that lists the files of a directory and their state.
type inspect struct {
	JSON bool    `name:"json" help:"Print a JSON array of objects, one for each file, with all details."`
	Dir  operand `arg:"" help:"The directory that the writers write to."`
}

// Help is what kong prints below the usage.
func (*inspect) Help() string {
	return `Prints one line for each file in DIR: its kind, its writer, whether the writer lives, its contents, and its faults. GARBAGE counts bytes that are not read any more. Nothing is changed, and no process has to stop. Damaged files are listed like others and are no failure of the command.

The names in the JSON do not change: name, kind, file_system, alive (yes, no, unknown), why, writer, pid, host, boot, pid_namespace, start, last_beat, closed, spilled_series, id, epoch, service, generation, absorbed, families, series, used_bytes, garbage_bytes, size_bytes, reason, error. Fields that do not apply to a file are left out. Times are as in RFC 3339.`
}

// Run prints the files.
func (i *inspect) Run(out output, diag diagnostics) error {
	done := diag.during("inspecting "+printable(string(i.Dir)), nil)
	reports, err := multiprocess.Inspect(string(i.Dir))
	done()
	if err != nil {
		return err
	}
	if i.JSON {
		return writeJSON(out, reports)
	}
	if len(reports) == 0 {
		_, err := fmt.Fprintf(out, "%s has no files.\n", printable(string(i.Dir)))
		return err
	}
	if system := reports[0].FileSystem; system != "" {
		if _, err := fmt.Fprintf(out, "%s is on %s.\n\n", printable(string(i.Dir)), printable(system)); err != nil {
			return err
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "FILE\tKIND\tPID\tWRITER\tALIVE\tEPOCH\tSTART\tFAMILIES\tSERIES\tUSED\tGARBAGE\tSIZE\tHEALTH") // Flush returns the error
	for _, r := range reports {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n",
			printable(r.Name), r.Kind, or(r.PID), or(r.Writer), or(string(r.Alive)), or(r.Epoch), when(r.Start), r.Families, r.Series, r.Used, r.Garbage, r.Size, printable(health(&r)))
	}
	return table.Flush()
}

// or returns what stands in the table for text.
func or(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

// health describes the faults of a file for an operator.
func health(r *multiprocess.FileReport) string {
	switch {
	case r.Reason != "":
		return fmt.Sprintf("%s: %s", r.Reason, r.Error)
	case r.Spilled > 0:
		return strconv.FormatUint(r.Spilled, 10) + " series did not fit"
	case r.Alive == multiprocess.AliveUnknown:
		return "good; " + r.Why
	case r.Absorbed > 0:
		return fmt.Sprintf("good; generation %d, took up %d files last", r.Generation, r.Absorbed)
	}
	return "good"
}
