package merging

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Merge merges the files at the paths, and those of the directories among them.
// With accumulate, buckets count what is at or below their bound. The failures are
// what is wrong with files that were left out, and conflicts that cost samples.
func Merge(paths []string, accumulate bool, s Settings) (families []*model.Family, failures []error, err error) {
	dirs := make(map[string]*spool.Dir)
	defer func() {
		for _, dir := range dirs {
			dir.Close()
		}
	}()
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() || dirs[path] != nil {
			continue
		}
		dir, err := spool.Open(path, s.Files)
		if err != nil {
			return nil, nil, fmt.Errorf("multiprocess: %w", err)
		}
		dirs[path] = dir
	}
	for range rereadings {
		before, err := marksOf(dirs)
		if err != nil {
			return nil, nil, err
		}
		families, failures, err := mergePaths(paths, dirs, accumulate, s)
		if errors.Is(err, segment.ErrReplaced) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		after, err := marksOf(dirs)
		if err != nil {
			return nil, nil, err
		}
		if maps.Equal(before, after) {
			return families, failures, nil
		}
	}
	return nil, nil, fmt.Errorf("multiprocess: the files were folded, or series in them replaced, each of %d times that they were read", rereadings)
}

// marksOf returns the marks of the directories' archives.
func marksOf(dirs map[string]*spool.Dir) (map[string]archiveMark, error) {
	marks := make(map[string]archiveMark, len(dirs))
	for path, dir := range dirs {
		mark, err := markOf(dir)
		if err != nil {
			return nil, err
		}
		marks[path] = mark
	}
	return marks, nil
}

// mergePaths merges files, and those of the directories among the paths.
func mergePaths(paths []string, dirs map[string]*spool.Dir, accumulate bool, s Settings) (families []*model.Family, failures []error, err error) {
	m := newMerger(&s, nil)
	m.Given = true
	defer m.release()
	for _, path := range paths {
		dir := dirs[path]
		if dir == nil {
			m.files = append(m.files, m.open(spool.Place{Path: path}))
			continue
		}
		names, err := fileNames(dir, false)
		if err != nil {
			return nil, nil, fmt.Errorf("multiprocess: %w", err)
		}
		for _, name := range names {
			m.files = append(m.files, m.open(spool.Place{Path: dir.PathOf(name), Name: name, Dir: dir}))
		}
	}
	ctx := context.Background()
	if err := m.update(ctx); err != nil {
		return nil, nil, err
	}
	var t catalog.Totals
	if err := m.read(ctx, &t, nil); err != nil {
		return nil, nil, err
	}
	for _, f := range m.files {
		if f.err != nil && f.err.Reason == spool.ReasonVanished && f.source != nil && f.source.Passing() {
			f.err = nil
		}
	}
	for _, v := range m.catalog.Views(nil) {
		families = append(families, v.Family(&t, catalog.Bucketing(accumulate)).Clone())
	}
	return families, m.failures(), nil
}
