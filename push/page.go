package push

import (
	"context"
	"fmt"
	"io"
	"slices"

	"telltale"
	"telltale/exposition"
	"telltale/internal/exported"
	"telltale/internal/gather"
	"telltale/internal/lines"
	"telltale/model"
)

// reserved are the labels that a receiver gives series, in place of their own.
type reserved struct {
	names  []string
	rename bool // own labels of these names, or else they are errors
}

// writePage writes what c emits, without timestamps.
func writePage(ctx context.Context, to io.Writer, c telltale.Collector, format exposition.Format, reserved reserved) error {
	merged, err := telltale.Merge(c)
	if err != nil {
		return err
	}
	ctx, unwritten := gather.WithUnwritten(ctx)
	enc := exposition.NewEncoder(to, format, exposition.WithDropped(lines.Passing(format.String(), true, unwritten.Report)))
	err = merged.Collect(ctx, func(f *model.Family) error {
		sent := f.WithPoints(&points{f, reserved})
		if loose := f.Loose(); len(loose) > 0 {
			var left []model.Sample
			for _, s := range loose {
				var err error
				if s.Labels, err = reserved.own(f, s.Labels); err != nil {
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
	reserved reserved
}

func (s *points) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	var sent model.Point
	return s.family.Visit(scratch, func(p *model.Point) error {
		sent = *p
		sent.Timestamp = model.Timestamp{}
		for _, labels := range []*model.Labels{&sent.Labels, &sent.Info} {
			own, err := s.reserved.own(s.family, *labels)
			if err != nil {
				return err
			}
			*labels = own
		}
		return visit(&sent)
	})
}

// own returns the labels of a series as they are sent, or an error if one is reserved.
func (r *reserved) own(f *model.Family, labels model.Labels) (model.Labels, error) {
	for _, name := range r.names {
		if _, has := labels.Get(name); !has {
			continue
		}
		if r.rename {
			return exported.Labels(labels, func(name string) bool { return slices.Contains(r.names, name) }), nil
		}
		return labels, fmt.Errorf("the series %s%s has the label %q of the grouping key, which would overwrite it", f.Name, labels, name)
	}
	return labels, nil
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
