package store

import "telltale/multiprocess/internal/spool"

// crowd is how many names a directory has at least where dead writers are counted.
const crowd = 64

// countDead tells how many writers' segments nobody writes to any more, unless there
// are too few files for it to matter.
func (s *Store) countDead() {
	if s.settings.Crowded == nil {
		return
	}
	names, err := s.dir.List()
	if err != nil || len(names) < crowd {
		return
	}
	dead := 0
	for _, name := range names {
		if name.Kind() == spool.Writer && name != s.name && s.isDead(name) {
			dead++
		}
	}
	s.settings.Crowded(dead)
}

// isDead reports whether it is known of a writer that it is dead.
func (s *Store) isDead(name spool.Name) bool {
	file, err := s.dir.Read(name)
	if err != nil {
		return false
	}
	defer file.Close()
	locked, err := file.Locked()
	return err == nil && !locked
}
