package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"telltale"
	"telltale/model"
)

// The directories of processes that count side by side: the same series in the
// files of Python's client and in telltale's segments.

// sharedFamily is a family that all processes have.
type sharedFamily struct {
	name, help string
	typ        model.Type
	mode       telltale.GaugeMode // of a gauge
	series     int
}

// sharedFamilies returns the families of a process whose files have about the given number
// of entries. A series of a counter or a gauge has one entry, that of a summary two, that of
// a histogram one for each bucket and one for the sum. The modes of gauges are those that
// all versions of Python's client have.
func sharedFamilies(entries int) []sharedFamily {
	share := entries / 8
	families := []sharedFamily{
		{"service_requests", counterHelp, model.Counter, 0, share},
		{"service_errors", counterHelp, model.Counter, 0, share},
		{histogramName, histogramHelp, model.Histogram, 0, share / bucketEntries},
		{summaryName, counterHelp, model.Summary, 0, share / 2},
	}
	for _, mode := range []telltale.GaugeMode{telltale.ModeAll, telltale.ModeLiveSum, telltale.ModeMax, telltale.ModeMin} {
		families = append(families, sharedFamily{gaugeName + "_" + mode.String(), counterHelp, model.Gauge, mode, share})
	}
	return families
}

// bucketEntries is how many entries a histogram has in Python's files: its
// buckets, +Inf and the sum.
const bucketEntries = samplesPerHistogram - 1

// lasting leaves the families of gauges out, which may show each process by
// itself.
func lasting(families []sharedFamily) []sharedFamily {
	var counted []sharedFamily
	for _, f := range families {
		if f.typ != model.Gauge {
			counted = append(counted, f)
		}
	}
	return counted
}

// mergedSamples returns the number of samples on the merged page of processes.
func mergedSamples(families []sharedFamily, processes int) (n int) {
	for _, f := range families {
		switch {
		case f.typ == model.Histogram:
			n += f.series * samplesPerHistogram
		case f.typ == model.Summary:
			n += f.series * 2
		case f.typ == model.Gauge && f.mode == telltale.ModeAll:
			n += f.series * processes
		default:
			n += f.series
		}
	}
	return n
}

// inMemory makes a directory on a tmpfs, if there is such a place with room.
func inMemory() (string, error) {
	if !roomy("/dev/shm") {
		return os.MkdirTemp("", "telltale-benchmark-")
	}
	return directoryIn("/dev/shm")
}

// onDisk makes a directory in /var/tmp, which mostly is on a disk, or where temporary files
// are if there is no /var/tmp.
func onDisk() (string, error) { return directoryIn("/var/tmp") }

func directoryIn(parent string) (string, error) {
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	return os.MkdirTemp(parent, "telltale-benchmark-")
}

// age makes a directory look as if nothing had been put there lately, which is
// what scrapes find.
func age(dir string) error {
	then := time.Now().Add(-time.Minute)
	return os.Chtimes(dir, then, then)
}

// pythonLayout is how many bytes a value has in Python's files: 8, or 16 with a
// time behind it, as newer clients write them.
type pythonLayout int

const newestLayout pythonLayout = 16

// pythonDirectory writes what the task's processes would leave behind with
// Python's client.
func pythonDirectory(t task, layout pythonLayout) (dir string, err error) {
	if dir, err = inMemory(); err != nil {
		return "", err
	}
	files := make(map[string][]string) // keys of entries
	for _, f := range sharedFamilies(t.series) {
		file := f.typ.String()
		if f.typ == model.Gauge {
			file += "_" + f.mode.String()
		}
		files[file] = append(files[file], pythonKeys(f)...)
	}
	var content []byte
	for file, keys := range files {
		for process := range t.writers {
			content = appendPythonFile(content[:0], keys, process, layout)
			name := fmt.Sprintf("%s_%d.db", file, 1000+process)
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				return "", errors.Join(err, os.RemoveAll(dir))
			}
		}
	}
	return dir, age(dir)
}

// appendPythonFile appends a file with one entry for each key: how many bytes are
// used, then for each entry the size of its key, the key, one to eight spaces up
// to a multiple of eight bytes, the value.
func appendPythonFile(b []byte, keys []string, process int, layout pythonLayout) []byte {
	b = append(b, make([]byte, 8)...)
	for i, key := range keys {
		b = binary.NativeEndian.AppendUint32(b, uint32(len(key)))
		b = append(append(b, key...), "        "[(len(key)+4)%8:]...)
		b = binary.NativeEndian.AppendUint64(b, math.Float64bits(float64(i+process)))
		if layout == newestLayout {
			b = binary.NativeEndian.AppendUint64(b, math.Float64bits(1.7e9+float64(process)))
		}
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

// pythonKeys are the keys of a family's entries.
func pythonKeys(f sharedFamily) (keys []string) {
	add := func(sample, more string, values labelValues) {
		keys = append(keys, fmt.Sprintf(`["%s", "%s", {"handler": "%s"%s, "method": "%s", "status": "%s"}, "%s"]`,
			f.name, sample, values[1], more, values[0], values[2], f.help))
	}
	for i := range f.series {
		values := labelsOf(i)
		switch f.typ {
		case model.Counter:
			add(f.name+"_total", "", values)
		case model.Summary:
			add(f.name+"_count", "", values)
			add(f.name+"_sum", "", values)
		case model.Histogram:
			add(f.name+"_sum", "", values)
			for _, bound := range append(bucketBounds[:len(bucketBounds):len(bucketBounds)], math.Inf(1)) {
				add(f.name+"_bucket", `, "le": "`+pythonBound(bound)+`"`, values)
			}
		default:
			add(f.name, "", values)
		}
	}
	return keys
}

// pythonBound spells a bound as Python does.
func pythonBound(bound float64) string {
	text := strconv.FormatFloat(bound, 'f', -1, 64)
	if bound == math.Trunc(bound) && !math.IsInf(bound, 0) {
		text += ".0"
	}
	return text
}

// sumByKey is the floor of merging Python's files: it sums up values by the bytes
// of their keys, with no modes and no families. It returns how many keys there
// are.
func sumByKey(dir string) (keys int, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return 0, err
	}
	sums := make(map[string]*float64)
	var data []byte
	for _, path := range paths {
		if data, err = readUsed(path, data); err != nil {
			return 0, err
		}
		for rest := data; len(rest) > 0; {
			end := 4 + int(binary.NativeEndian.Uint32(rest))
			key, entry := rest[4:end], rest[end/8*8+8:]
			v := math.Float64frombits(binary.NativeEndian.Uint64(entry))
			if sum, ok := sums[string(key)]; ok {
				*sum += v
			} else {
				sums[string(key)] = &v
			}
			rest = entry[newestLayout:]
		}
	}
	return len(sums), nil
}

// readUsed reads the entries of a file into the buffer, or into a larger one.
func readUsed(path string, buffer []byte) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var head [8]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	used := int(binary.NativeEndian.Uint32(head[:])) - len(head)
	if cap(buffer) < used {
		buffer = make([]byte, used)
	}
	_, err = file.ReadAt(buffer[:used], int64(len(head)))
	return buffer[:used], err
}
