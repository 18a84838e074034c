package live

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"

	"telltale"
	"telltale/exposition/json"
)

// snapshot is the outcome of one collection, encoded, and safe to share.
type snapshot struct {
	begun  time.Time
	err    error            // why there is nothing else
	wanted map[subject]bool // what was collected beside the index

	head        []byte // the members of the answer that all readers get
	definitions string // the hash of index
	index       []byte // sent to readers that do not have it
	points      map[string][]byte
	labels      map[string][]byte // values of labels, by family
	writers     []byte            // nil if nobody asked for them, or there is no directory
}

// has reports whether the subjects were collected.
func (s *snapshot) has(subjects []subject) bool {
	for _, asked := range subjects {
		if !s.wanted[asked] {
			return false
		}
	}
	return true
}

// finish takes what the writer has written.
func (s *snapshot) finish(w *writer, f *feed, stats *telltale.Stats) {
	s.index, s.points, s.labels = append(w.index, ']'), w.points, w.labels
	sum := sha256.Sum256(s.index)
	s.definitions = hex.EncodeToString(sum[:16])

	b := appendSeconds([]byte(`{"time":`), s.begun)
	b = appendNumber(append(b, `,"duration":`...), time.Since(s.begun).Seconds())
	b = appendSeconds(append(b, `,"start":`...), f.start)
	b = appendNumber(append(b, `,"interval":`...), f.interval.Seconds())
	b = json.AppendString(append(b, `,"definitions":`...), s.definitions)
	b = append(b, `,"series":[`...)
	for i, n := range w.series {
		b = strconv.AppendInt(comma(b, i), int64(n), 10)
	}
	b = strconv.AppendInt(append(b, `],"left_out":{"families":`...), int64(w.leftOutFamilies), 10)
	b = strconv.AppendInt(append(b, `,"series":`...), int64(w.leftOutSeries), 10)
	b = strconv.AppendInt(append(b, `},"limits":{"families":`...), int64(f.maxFamilies), 10)
	b = strconv.AppendInt(append(b, `,"series":`...), int64(f.maxSeries), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), int64(f.maxBytes), 10)
	b = strconv.AppendInt(append(b, `,"asked":`...), int64(f.maxAsked), 10)
	b = append(b, '}')
	b = strconv.AppendBool(append(b, `,"directory":`...), f.directory != "")
	if stats != nil {
		b = appendStats(b, stats)
	}
	s.head = b
}

// mostStats is how many entries of each list of a registry's statistics the page
// gets.
const mostStats = 200

// appendStats appends what went wrong in the registry, and its custom collectors.
func appendStats(b []byte, stats *telltale.Stats) []byte {
	b = append(b, `,"faults":[`...)
	for i, reason := range first(slices.Sorted(maps.Keys(stats.Faults))) {
		b = json.AppendString(append(comma(b, i), '['), string(reason))
		b = strconv.AppendUint(append(b, ','), stats.Faults[reason], 10)
		b = append(b, ']')
	}
	b = append(b, `],"overflows":[`...)
	for i, family := range first(slices.Sorted(maps.Keys(stats.Overflows))) {
		b = json.AppendString(append(comma(b, i), '['), family)
		b = strconv.AppendUint(append(b, ','), stats.Overflows[family], 10)
		b = append(b, ']')
	}
	b = append(b, `],"collectors":[`...)
	for i, c := range first(stats.Custom) {
		b = json.AppendString(append(comma(b, i), `{"name":`...), c.Collector)
		b = strconv.AppendBool(append(b, `,"success":`...), c.Success)
		b = appendNumber(append(b, `,"duration":`...), c.Duration.Seconds())
		b = strconv.AppendInt(append(b, `,"families":`...), int64(c.Families), 10)
		b = strconv.AppendUint(append(b, `,"faults":`...), c.Faults, 10)
		b = append(b, '}')
	}
	return append(b, ']')
}

func first[T any](all []T) []T { return all[:min(len(all), mostStats)] }

// answer returns the parts of the answer for a reader who has the index of the given
// hash and asks for subjects. They are those of the snapshot, which all readers share:
// slow readers hold no copies.
func (s *snapshot) answer(known string, subjects []subject) [][]byte {
	parts := [][]byte{s.head}
	if known != s.definitions {
		parts = append(parts, []byte(`,"index":`), s.index)
	}
	parts = appendOf(append(parts, []byte(`,"points":[`)), s.points, subjects, ofPoints)
	parts = appendOf(append(parts, []byte(`],"label_values":[`)), s.labels, subjects, ofLabels)
	parts = append(parts, []byte("]"))
	for _, asked := range subjects {
		if asked.of == ofWriters && s.writers != nil {
			parts = append(parts, []byte(`,"writers":`), s.writers)
		}
	}
	return append(parts, []byte("}\n"))
}

// appendOf appends what there is of the subjects of an aspect.
func appendOf(parts [][]byte, all map[string][]byte, subjects []subject, of aspect) [][]byte {
	n := 0
	for _, asked := range subjects {
		if text, ok := all[asked.family]; ok && asked.of == of {
			if n > 0 {
				parts = append(parts, []byte(","))
			}
			parts = append(parts, text)
			n++
		}
	}
	return parts
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendSeconds(b []byte, t time.Time) []byte {
	return strconv.AppendFloat(b, float64(t.UnixMilli())/1000, 'f', 3, 64)
}
