package push

import (
	"context"
	"fmt"
	"io"

	"telltale"
	"telltale/exposition"
	"telltale/model"
)

// writePage writes what c emits, without timestamps. It returns an error if a series
// has one of the reserved labels, which the receiver would overwrite.
func writePage(ctx context.Context, to io.Writer, c telltale.Collector, format exposition.Format, reserved []string) error {
	merged, err := telltale.Merge(c)
	if err != nil {
		return err
	}
	enc := exposition.NewEncoder(to, format)
	err = merged.Collect(ctx, func(f *model.Family) error {
		sent := f.WithPoints(&points{f, reserved})
		if loose := f.Loose(); len(loose) > 0 {
			var left []model.Sample
			for _, s := range loose {
				if err := check(f, s.Labels, reserved); err != nil {
					return err
				}
				s.Timestamp = model.Timestamp{}
				left = append(left, s)
			}
			sent = sent.WithLoose(left)
		}
		return enc.Encode(sent)
	})
	if err != nil {
		return err
	}
	return enc.Close()
}

// points are those of a family as they are pushed.
type points struct {
	family   *model.Family
	reserved []string
}

func (s *points) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	var sent model.Point
	return s.family.Visit(scratch, func(p *model.Point) error {
		for _, labels := range []model.Labels{p.Labels, p.Info} {
			if err := check(s.family, labels, s.reserved); err != nil {
				return err
			}
		}
		sent = *p
		sent.Timestamp = model.Timestamp{}
		return visit(&sent)
	})
}

// check returns an error if a series has a reserved label.
func check(f *model.Family, labels model.Labels, reserved []string) error {
	for _, name := range reserved {
		if _, has := labels.Get(name); has {
			return fmt.Errorf("the series %s%s has the label %q of the grouping key, which would overwrite it", f.Name, labels, name)
		}
	}
	return nil
}

// limited writes no more than a limit.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(text []byte) (int, error) {
	if len(text) > l.left {
		return 0, fmt.Errorf("the metrics are larger than the limit for a push")
	}
	l.left -= len(text)
	return l.to.Write(text)
}
