package multiprocess

import (
	"context"
	"maps"
	"slices"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/store"
)

// Health returns a collector of how the collector's directory is: its [Stats], at most a
// second old, as families whose names begin with telltale_writers_. If the last collection
// is longer ago it looks at the files, without reading values. It belongs to no registry
// until it is registered.
func (c *Collector) Health() model.Collector {
	return &health{c.gatherer.Look, c.gatherer.FileSystem, c.Stats}
}

// Health returns a collector of how the store's directory is, as
// [Collector.Health] does. On the store's own registry its families are those of the
// process that is collected: each sees the same directory.
func (s *Store) Health() model.Collector {
	return &health{s.look, s.kept.FileSystem, s.Stats}
}

// look brings the stats up to date, unless the health is collected to be published: that
// of the directory is not shown to other processes.
func (s *Store) look(ctx context.Context) error {
	if store.Publishes(ctx) {
		return nil
	}
	return s.collector.gatherer.Look(ctx)
}

type health struct {
	look   func(context.Context) error // brings the stats up to date
	system func() (mapped.FileSystem, error)
	stats  func() Stats
}

// Describe returns the families without samples.
func (h *health) Describe() []*model.Family {
	families := h.families(Stats{}, "")
	for i, f := range families {
		families[i] = f.Header()
	}
	return families
}

// Collect emits the stats. Of a directory that cannot be read they are those of the last
// time that it could be.
func (h *health) Collect(ctx context.Context, emit func(*model.Family) error) error {
	_ = h.look(ctx) // collections say what is wrong
	system, err := h.system()
	if err != nil {
		system.Name = "unknown"
	}
	for _, f := range h.families(h.stats(), system.Name) {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

func (h *health) families(s Stats, system string) []*model.Family {
	family := func(name, help string, typ model.Type) *model.Family {
		return &model.Family{Name: "telltale_writers_" + name, Help: help, Type: typ, Merge: model.MergeOnce}
	}
	value := func(f *model.Family, v float64, labels ...string) *model.Family {
		p := model.Point{Has: f.Type.Parts() &^ model.PartCreated, Value: v}
		for i := 0; i+1 < len(labels); i += 2 {
			p.Labels = p.Labels.Append(model.LabelPairs(labels[i:i+1], labels[i+1:i+2]))
		}
		f.Append(p)
		return f
	}
	writers := family("processes", "Writers of segments that are merged, alive or dead and not folded yet.", model.Gauge)
	value(writers, float64(s.Live), "state", "alive")
	value(writers, float64(s.Dead), "state", "dead")
	skipped := family("skipped_files", "Files that are left out, by reason.", model.Gauge)
	for _, reason := range slices.Sorted(maps.Keys(s.Skipped)) {
		value(skipped, float64(s.Skipped[reason]), "reason", string(reason))
	}
	last := family("last_fold_timestamp_seconds", "When dead writers were last folded by this process.", model.Gauge)
	took := family("last_fold_duration_seconds", "How long that took.", model.Gauge)
	last.Unit, took.Unit = "seconds", "seconds"
	if !s.Folds.Last.IsZero() {
		value(last, float64(s.Folds.Last.UnixNano())/1e9)
		value(took, s.Folds.Duration.Seconds())
	}
	size := family("size_bytes", "Bytes in use in the files that are merged.", model.Gauge)
	size.Unit = "bytes"
	directory := family("directory", "The file system of the directory, and the epoch that counts.", model.Info)
	directory.Append(model.Point{Has: model.PartInfo, Value: 1, Info: model.LabelPairs([]string{"epoch", "file_system"}, []string{s.Epoch, system})})
	return []*model.Family{
		writers,
		value(family("files", "Files that are merged.", model.Gauge), float64(s.Files)),
		skipped,
		value(size, float64(s.Bytes)),
		value(family("series", "Series of which the files tell.", model.Gauge), float64(s.Series)),
		value(family("conflicts", "Families and subjects on which writers disagree.", model.Gauge), float64(s.Conflicts)),
		value(family("collisions", "Series left out for those of a newer writer of the same label pid.", model.Gauge), float64(s.Collisions)),
		value(family("spilled_series", "Series on the heap of this process, because its segment could not grow.", model.Gauge), float64(s.Spilled)),
		value(family("archive_generation", "How often the archive of dead writers was replaced.", model.Gauge), float64(s.Generation)),
		value(family("folds", "Folds of dead writers by this process.", model.Counter), float64(s.Folds.Count)),
		value(family("folded_files", "Files of dead writers that were folded by this process.", model.Counter), float64(s.Folds.Files)),
		last, took, directory,
	}
}
