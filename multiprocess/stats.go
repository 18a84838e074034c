package multiprocess

import "time"

// Stats is how a collector found its directory at the last collection, or when its health
// was collected since.
type Stats struct {
	Files       int            // that were merged
	Bytes       int64          // used in them
	Skipped     map[Reason]int // files that were left out
	Live        int            // writers of segments that were merged
	Dead        int            // writers whose segments were merged and that no archive has taken up yet
	Epoch       string         // of the segments that were merged
	Generation  uint64         // of the archive; 0 if there is none
	Python      int            // of the files, those of Python's client
	Folds       Folds          // in the background, by this collector
	Spilled     int            // series on the heap, because the store's segment could not grow
	Families    int
	Series      int // in the files, whether wanted by a restricted view or not
	Conflicts   int // disagreements of writers on families, by family and subject
	Collisions  int // series left out for those of a newer writer of the same label pid
	MappedFiles int // that stay mapped
	MappedBytes int64
	Collections uint64 // begun so far
	Listings    uint64 // of the directory so far; it is listed only after it changed
	Lost        error  // why the directory could not be listed, so that only what this process writes was shown
}

// Folds is how a collector's folds in the background have fared.
type Folds struct {
	Count    uint64        // that ended, whether there was anything to fold or not
	Files    uint64        // of dead writers that they took up
	Last     time.Time     // when the last one ended
	Duration time.Duration // of the last one
	Err      error         // why the last one failed
}
