//go:build unix

package metamorphic

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"telltale/multiprocess"
)

// pythonFiles are how Python's client names the files of a kind of family.
var pythonFiles = map[byte]string{'c': "counter_%s.db", 'g': "gauge_sum_%s.db", 'm': "gauge_max_%s.db", 's': "summary_%s.db"}

// pythonPID is the number of the process of a name. No system gives such numbers.
func pythonPID(name string) string { return "5000" + strings.TrimLeft(name, "q") }

// countInPython leaves the file of a process that used Python's client: it has set one
// series, or observed once, and ended.
func (r *run) countInPython(o op) error {
	family, label, v := o.arg(2), o.arg(3), o.value()
	samples, values := []string{family}, []float64{v}
	switch family[0] {
	case 'c':
		samples = []string{family + "_total"}
	case 's':
		samples, values = []string{family + "_count", family + "_sum"}, []float64{1, v}
	}
	data := make([]byte, 8)
	for i, name := range samples {
		key := fmt.Sprintf(`["%s", "%s", {"n": "%s"}, "%s"]`, family, name, label, helpOf(1))
		data = binary.NativeEndian.AppendUint32(data, uint32(len(key)))
		data = append(data, key...)
		data = append(data, strings.Repeat(" ", 8-len(data)%8)...)
		data = binary.NativeEndian.AppendUint64(data, math.Float64bits(values[i]))
		data = binary.NativeEndian.AppendUint64(data, 0)
	}
	binary.NativeEndian.PutUint32(data, uint32(len(data)))
	path := filepath.Join(r.dir, fmt.Sprintf(pythonFiles[family[0]], pythonPID(o.arg(1))))
	r.paths[o.arg(1)] = path
	return os.WriteFile(path, append(data, make([]byte, 4096)...), 0o600)
}

// isThere reports whether what a process left is still there by itself, as it was or put
// aside to be folded.
func (r *run) isThere(p *process) bool {
	if !p.python {
		_, err := os.Lstat(r.paths[p.name])
		return err == nil
	}
	found, _ := filepath.Glob(strings.TrimSuffix(r.paths[p.name], ".db") + "*.db") // the pattern is good
	return len(found) > 0
}

// mark says that a process of Python's is dead, which puts its files aside.
func (r *run) mark(p *process) error {
	var pid int
	if _, err := fmt.Sscan(pythonPID(p.name), &pid); err != nil {
		return err
	}
	return multiprocess.MarkProcessDead(r.dir, pid)
}

// python begins and ends a process that used Python's client.
func (w *world) python(o op) {
	p := &process{name: o.arg(1), python: true, edition: 1, families: make(map[string]map[string]*row)}
	w.processes = append(w.processes, p)
	w.row(p, o.arg(2), o.arg(3)).update(updates[o.arg(2)[0]], o.value(), w.step)
}

// isOf reports whether a process is of the epoch. What Python's client wrote is of that
// which counts, until it is in the archive.
func (p *process) isOf(epoch string) bool { return p.python || p.epoch == epoch }
