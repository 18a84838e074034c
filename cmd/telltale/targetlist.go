package main

import (
	"fmt"
	"sync"
)

// targetList is the targets of flags and of a file, which may change.
type targetList struct {
	fixed []*target
	file  string
	most  int

	mu  sync.Mutex
	all []*target
}

// newTargetList returns the list, whose file it reads.
func newTargetList(endpoints []endpoint, file string, most int) (*targetList, error) {
	fixed, err := newTargets(endpoints)
	if err != nil {
		return nil, err
	}
	l := &targetList{fixed: fixed, file: file, most: most}
	return l, l.read()
}

// read reads the file again, if there is one. If it cannot be used, the list stays.
func (l *targetList) read() error {
	all := l.fixed[:len(l.fixed):len(l.fixed)]
	if l.file != "" {
		more, err := readTargets(l.file)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	met := make(map[string]*target, len(all))
	list := make([]*target, 0, len(all))
	for _, t := range all {
		switch other := met[t.key]; {
		case other == nil:
			met[t.key] = t
			list = append(list, t)
		case *other.url != *t.url:
			return fmt.Errorf("two targets have the labels {%.500s}; give them different ones", t.key)
		}
	}
	if l.most > 0 && len(list) > l.most {
		return fmt.Errorf("there are %d targets, and may be %d; --max-targets raises the limit", len(list), l.most)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = list
	return nil
}

// targets returns the list, which must not be changed.
func (l *targetList) targets() []*target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}
