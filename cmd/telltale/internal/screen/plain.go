package screen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"telltale/cmd/telltale/internal/board"
	"telltale/model"
)

// Plain writes the table as text: once, or again and again until ctx is done, which is
// no error. Reading once, it returns the errors of the targets; else it writes them.
func Plain(ctx context.Context, config Config, out io.Writer, once bool) error {
	b := config.board()
	for {
		began := time.Now()
		readings := make(chan reading, len(config.Sources))
		for i := range config.Sources {
			go func() { readings <- config.read(ctx, i) }()
		}
		var failed []error
		for range config.Sources {
			var r reading
			select {
			case r = <-readings:
			case <-ctx.Done(): // a file may be a pipe that never ends
				return nil
			}
			r.apply(b)
			if r.err != nil {
				failed = append(failed, r.err)
			}
		}
		if err := config.write(out, b); err != nil {
			return err
		}
		if once {
			return errors.Join(failed...)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(config.rest(time.Since(began))):
		}
		if _, err := fmt.Fprintln(out); err != nil {
			return err
		}
	}
}

// write writes the targets and the series.
func (c *Config) write(out io.Writer, b *board.Board) error {
	buffer := bufio.NewWriter(out)
	for _, t := range b.Targets() {
		name := c.Printable(t.Name)
		if t.Err != nil {
			_, _ = fmt.Fprintf(buffer, "# %s %s: %s\n", time.Now().UTC().Format(time.RFC3339), name, c.Printable(reason(t))) // Flush returns the error
			continue
		}
		_, _ = fmt.Fprintf(buffer, "# %s %s: %d families, %d series, %d not shown\n", t.Last.UTC().Format(time.RFC3339), name, t.Families, t.Series, t.Left)
		if t.Note != "" {
			_, _ = fmt.Fprintf(buffer, "# %s: %s\n", name, c.Printable(t.Note))
		}
	}
	table := tabwriter.NewWriter(buffer, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SERIES\tTYPE\tVALUE\tRATE/S")
	for i, r := range b.Rows(c.Filter, c.Order, c.Reverse) {
		if c.Top > 0 && i == c.Top {
			break
		}
		if r.Gone > 0 || b.Targets()[r.Target].Err != nil {
			continue
		}
		series := c.Printable(r.Series())
		if len(c.Sources) > 1 {
			series = fmt.Sprintf("%d %s", r.Target+1, series)
		}
		value, rate := number(r.Value), orBlank(r.Rate)
		if r.Type == model.Info || r.Type == model.StateSet {
			value = c.Printable(r.Text)
		}
		if rate == "" {
			rate = "-"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", series, r.Type, value, rate)
	}
	return errors.Join(table.Flush(), buffer.Flush())
}
