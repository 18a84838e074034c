package collectors

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"telltale"
	"telltale/internal/gather"
	"telltale/model"
)

// Process is a collector of the operating system's values for a process:
// processor time, memory, file descriptors, start time, network. [NewProcess]
// makes it. It is safe for concurrent use.
type Process struct {
	metrics []processMetric
	source  *processSource
	cells   sync.Pool // of []*cell, one for each metric
}

// processMetric is a family and the reader of its value.
type processMetric struct {
	header *model.Family
	read   processReader
}

// processReader reads one value, or returns errNotHere if this system has none.
// A file that has several values is read once in a collect.
type processReader func(*processReading) (float64, error)

var errNotHere = errors.New("collectors: not known to this operating system")

// processReaders are the readers of one operating system; nil for values that it
// lacks.
type processReaders struct {
	cpu, openFDs, maxFDs, virtual, virtualMax, resident, start, received, transmitted processReader
}

// processSource names the process to read, and where to read it.
type processSource struct {
	pid   func() (int, error) // nil for this process
	mount string              // path of Linux's proc file system
	known startTimes
}

var (
	_ telltale.Describer  = (*Process)(nil)
	_ telltale.Restrictor = (*Process)(nil)
)

// ProcessOption is an option of [NewProcess].
type ProcessOption interface{ applyProcess(*processSettings) }

type processSettings struct {
	source    *processSource
	namespace string
}

type processOption func(*processSettings)

func (o processOption) applyProcess(s *processSettings) { o(s) }

// WithPID makes the collector read another process: pid is called at each
// collect, perhaps from several goroutines at once, and returns its id. See
// [PIDFile]. Collect returns the errors of pid. Reading processes of other users
// takes rights that depend on the system.
func WithPID(pid func() (int, error)) ProcessOption {
	return processOption(func(s *processSettings) { s.source.pid = pid })
}

// PIDFile returns a function for [WithPID] that reads a process id in decimal
// from a file at each call.
func PIDFile(path string) func() (int, error) {
	return func() (int, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, fmt.Errorf("collectors: process id file: %w", err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return 0, fmt.Errorf("collectors: process id file %s: %w", path, err)
		}
		return pid, nil
	}
}

// WithNamespace puts namespace and an underscore before every name, so that one
// registry can have the collectors of several processes.
func WithNamespace(namespace string) ProcessOption {
	return processOption(func(s *processSettings) { s.namespace = namespace })
}

// WithProcMount sets the path of the proc file system, /proc by default. It has
// an effect on Linux only.
func WithProcMount(path string) ProcessOption {
	return processOption(func(s *processSettings) { s.source.mount = path })
}

// NewProcess returns a collector of this process, or of the one that [WithPID]
// names. Names are those of Prometheus' client libraries.
//
//	process_cpu_seconds_total             user and system time
//	process_open_fds                      file descriptors; handles on Windows
//	process_max_fds                       their limit
//	process_virtual_memory_bytes          private bytes on Windows
//	process_virtual_memory_max_bytes      its limit, 2^64 for none
//	process_resident_memory_bytes
//	process_start_time_seconds            since 1970
//	process_network_receive_bytes_total   of the process's network namespace
//	process_network_transmit_bytes_total
//
// Processes share a network namespace, so that the last two merge by the largest
// value ([model.MergeMax]) if the metrics of several processes are merged.
//
// Linux has all of them; macOS and Windows have all but network, and Windows no
// process_virtual_memory_max_bytes. On macOS another process has start time and
// memory only. Other Unix-like systems have processor time and process_max_fds,
// of this process only; the rest have nothing. A value that the system lacks is
// neither described nor an error.
func NewProcess(opts ...ProcessOption) *Process {
	s := processSettings{source: &processSource{mount: "/proc"}}
	for _, o := range opts {
		o.applyProcess(&s)
	}
	readers := ownReaders()
	if s.source.pid != nil {
		readers = foreignReaders()
	}
	prefix := ""
	if s.namespace != "" {
		prefix = s.namespace + "_"
	}
	return planProcess(s.source, processMetrics(prefix, readers))
}

// processMetrics returns the families for which there are readers.
func processMetrics(prefix string, r processReaders) []processMetric {
	metric := func(read processReader, name, unit, help string, typ model.Type) processMetric {
		return processMetric{&model.Family{Name: prefix + "process_" + name, Help: help, Unit: unit, Type: typ}, read}
	}
	network := func(read processReader, direction, help string) processMetric {
		m := metric(read, "network_"+direction+"_bytes", "bytes", help, model.Counter)
		m.header.Merge = model.MergeMax // processes that share the namespace have the same values
		return m
	}
	all := []processMetric{
		metric(r.cpu, "cpu_seconds", "seconds", "Total user and system CPU time spent in seconds.", model.Counter),
		metric(r.openFDs, "open_fds", "", "Number of open file descriptors.", model.Gauge),
		metric(r.maxFDs, "max_fds", "", "Maximum number of open file descriptors.", model.Gauge),
		metric(r.virtual, "virtual_memory_bytes", "bytes", "Virtual memory size in bytes.", model.Gauge),
		metric(r.virtualMax, "virtual_memory_max_bytes", "bytes", "Maximum amount of virtual memory available in bytes.", model.Gauge),
		metric(r.resident, "resident_memory_bytes", "bytes", "Resident memory size in bytes.", model.Gauge),
		metric(r.start, "start_time_seconds", "seconds", "Start time of the process since unix epoch in seconds.", model.Gauge),
		network(r.received, "receive", "Number of bytes received over the network in the network namespace of the process."),
		network(r.transmitted, "transmit", "Number of bytes sent over the network in the network namespace of the process."),
	}
	return slices.DeleteFunc(all, func(m processMetric) bool { return m.read == nil })
}

func planProcess(source *processSource, wanted []processMetric) *Process {
	p := &Process{metrics: wanted, source: source}
	p.cells.New = func() any {
		cells := make([]*cell, len(wanted))
		for i, m := range wanted {
			cells[i] = newCell(m.header)
		}
		return &cells
	}
	return p
}

// Collect reads the process and emits the families one by one. A value that
// cannot be read is left out; after the rest is emitted, the reasons are returned,
// joined. A value that the system lacks is not an error.
func (p *Process) Collect(ctx context.Context, emit func(*model.Family) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(p.metrics) == 0 {
		return nil
	}
	reading, err := p.source.open()
	if err != nil {
		return fmt.Errorf("collectors: process: %w", err)
	}
	defer reading.close()
	cells := p.cells.Get().(*[]*cell)
	defer p.cells.Put(cells)
	var failed []error
	for i, m := range p.metrics {
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := m.read(reading)
		switch {
		case errors.Is(err, errNotHere):
			continue
		case err != nil:
			failed = append(failed, fmt.Errorf("collectors: %s: %w", m.header.SampleName(), err))
			continue
		}
		c := (*cells)[i]
		c.point.Value = value
		if err := emit(c.family); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// Describe returns the families without samples. It reads nothing.
func (p *Process) Describe() []*model.Family {
	described := make([]*model.Family, len(p.metrics))
	for i, m := range p.metrics {
		described[i] = m.header
	}
	return described
}

// Restricted returns a collector of the named samples and families that reads
// only what they need.
func (p *Process) Restricted(names ...string) telltale.Collector {
	wanted := gather.NamesOf(names).Has
	var left []processMetric
	for _, m := range p.metrics {
		if header, some := m.header.Restrict(wanted); some {
			m.header = header
			left = append(left, m)
		}
	}
	return planProcess(p.source, left)
}
