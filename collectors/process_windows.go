package collectors

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Functions that x/sys lacks. They are loaded at their first call.
var (
	kernel32              = windows.NewLazySystemDLL("kernel32.dll")
	getProcessMemoryInfo  = kernel32.NewProc("K32GetProcessMemoryInfo")
	getProcessHandleCount = kernel32.NewProc("GetProcessHandleCount")
)

// maxHandles is the limit on handles that Windows sets for every process.
const maxHandles = 16 << 20

// processReading is one reading of a process.
type processReading struct {
	handle windows.Handle
	opened bool
}

// startTimes is empty: the kernel provides the start time itself.
type startTimes struct{}

func (s *processSource) open() (*processReading, error) {
	if s.pid == nil {
		return &processReading{handle: windows.CurrentProcess()}, nil
	}
	pid, err := s.pid()
	if err != nil {
		return nil, err
	}
	const rights = windows.PROCESS_QUERY_INFORMATION | windows.PROCESS_VM_READ
	handle, err := windows.OpenProcess(rights, false, uint32(pid))
	if err != nil {
		return nil, fmt.Errorf("OpenProcess %d: %w", pid, err)
	}
	return &processReading{handle: handle, opened: true}, nil
}

func (r *processReading) close() {
	if r.opened {
		_ = windows.CloseHandle(r.handle) // closing an own handle does not fail
	}
}

func ownReaders() processReaders {
	return processReaders{
		cpu: func(r *processReading) (float64, error) {
			times, err := r.times()
			return hundredNanoseconds(times.kernel) + hundredNanoseconds(times.user), err
		},
		openFDs: func(r *processReading) (float64, error) {
			var count uint32
			if err := getProcessHandleCount.Find(); err != nil {
				return 0, err
			}
			ok, _, err := getProcessHandleCount.Call(uintptr(r.handle), uintptr(unsafe.Pointer(&count)))
			if ok == 0 {
				return 0, fmt.Errorf("GetProcessHandleCount: %w", err)
			}
			return float64(count), nil
		},
		maxFDs: func(*processReading) (float64, error) { return maxHandles, nil },
		virtual: func(r *processReading) (float64, error) {
			memory, err := r.memory()
			return float64(memory.privateUsage), err
		},
		resident: func(r *processReading) (float64, error) {
			memory, err := r.memory()
			return float64(memory.workingSetSize), err
		},
		start: func(r *processReading) (float64, error) {
			times, err := r.times()
			return float64(times.created.Nanoseconds()) / 1e9, err
		},
	}
}

func foreignReaders() processReaders { return ownReaders() }

type processTimes struct{ created, exited, kernel, user windows.Filetime }

func (r *processReading) times() (t processTimes, err error) {
	if err = windows.GetProcessTimes(r.handle, &t.created, &t.exited, &t.kernel, &t.user); err != nil {
		err = fmt.Errorf("GetProcessTimes: %w", err)
	}
	return t, err
}

// hundredNanoseconds returns a duration, which Windows counts in units of 100
// ns, in seconds.
func hundredNanoseconds(t windows.Filetime) float64 {
	return float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) / 1e7
}

// memoryCounters is PROCESS_MEMORY_COUNTERS_EX.
type memoryCounters struct {
	size                       uint32
	pageFaultCount             uint32
	peakWorkingSetSize         uintptr
	workingSetSize             uintptr
	quotaPeakPagedPoolUsage    uintptr
	quotaPagedPoolUsage        uintptr
	quotaPeakNonPagedPoolUsage uintptr
	quotaNonPagedPoolUsage     uintptr
	pagefileUsage              uintptr
	peakPagefileUsage          uintptr
	privateUsage               uintptr
}

func (r *processReading) memory() (m memoryCounters, err error) {
	m.size = uint32(unsafe.Sizeof(m))
	if err := getProcessMemoryInfo.Find(); err != nil {
		return m, err
	}
	ok, _, err := getProcessMemoryInfo.Call(uintptr(r.handle), uintptr(unsafe.Pointer(&m)), unsafe.Sizeof(m))
	if ok == 0 {
		return m, fmt.Errorf("GetProcessMemoryInfo: %w", err)
	}
	return m, nil
}
