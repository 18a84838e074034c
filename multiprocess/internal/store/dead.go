package store

import "time"

const (
	// crowd is how many writers a directory has at least where Crowded is told of dead ones.
	crowd = 64
	// leastCounting is how often a store counts dead writers, where there are few, and
	// countingEach how much less often for each writer: together the stores of a
	// directory count about as often however many they are.
	leastCounting = time.Minute
	countingEach  = 60 * time.Millisecond
)

// countDead tells the setting Crowded how many segments are those of dead writers, if there
// are at least crowd writers. It returns after which time to count again.
func (s *Store) countDead() (again time.Duration) {
	if s.settings.Crowded == nil {
		return leastCounting
	}
	dead, writers, err := s.dir.CountDead(s.name)
	if err == nil && writers >= crowd {
		s.settings.Crowded(dead)
	}
	return max(leastCounting, time.Duration(writers)*countingEach)
}
