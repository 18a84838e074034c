//go:build darwin && !ios

package collectors

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// processReading is one reading of a process.
type processReading struct {
	pid  int
	task taskInfo // read when one of its values is needed
	err  error
	read bool
}

// startTimes is empty: the kernel provides the start time itself.
type startTimes struct{}

func (s *processSource) open() (*processReading, error) {
	if s.pid == nil {
		return &processReading{pid: os.Getpid()}, nil
	}
	pid, err := s.pid()
	return &processReading{pid: pid}, err
}

func (r *processReading) close() {}

func ownReaders() processReaders {
	r := foreignReaders()
	r.cpu = ownCPU
	r.openFDs = ownOpenFDs
	r.maxFDs = ownLimit(unix.RLIMIT_NOFILE)
	r.virtualMax = ownLimit(unix.RLIMIT_AS)
	return r
}

func foreignReaders() processReaders {
	return processReaders{
		virtual: func(r *processReading) (float64, error) {
			task, err := r.taskInfo()
			return float64(task.virtual), err
		},
		resident: func(r *processReading) (float64, error) {
			task, err := r.taskInfo()
			return float64(task.resident), err
		},
		start: func(r *processReading) (float64, error) {
			info, err := unix.SysctlKinfoProc("kern.proc.pid", r.pid)
			if err != nil {
				return 0, fmt.Errorf("sysctl kern.proc.pid.%d: %w", r.pid, err)
			}
			return float64(info.Proc.P_starttime.Nano()) / 1e9, nil
		},
	}
}

func ownCPU(*processReading) (float64, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds(), nil
}

func ownOpenFDs(*processReading) (float64, error) {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(0) // 0: does not stat descriptors, which fails for kqueues
	return float64(len(names) - 1), err
}

func ownLimit(resource int) processReader {
	return func(*processReading) (float64, error) {
		var limit unix.Rlimit
		if err := unix.Getrlimit(resource, &limit); err != nil {
			return 0, fmt.Errorf("getrlimit: %w", err)
		}
		return float64(limit.Cur), nil
	}
}

// taskInfo is the kernel's struct proc_taskinfo (bsd/sys/proc_info.h). Its
// times are in units of the processor's and not used here.
type taskInfo struct {
	virtual, resident uint64 // bytes
	_, _, _, _        uint64 // times
	_, _, _, _, _, _  int32
	_, _, _, _, _, _  int32
}

// taskInfo asks the kernel as libproc's proc_pidinfo does, which cannot be
// called without cgo.
func (r *processReading) taskInfo() (*taskInfo, error) {
	const (
		callPIDInfo = 2 // PROC_INFO_CALL_PIDINFO
		taskFlavor  = 4 // PROC_PIDTASKINFO
	)
	if r.read {
		return &r.task, r.err
	}
	r.read = true
	size := unsafe.Sizeof(r.task)
	n, _, errno := unix.Syscall6(unix.SYS_PROC_INFO, callPIDInfo, uintptr(r.pid), taskFlavor, 0,
		uintptr(unsafe.Pointer(&r.task)), size)
	switch {
	case errno != 0:
		r.err = fmt.Errorf("proc_info of process %d: %w", r.pid, errno)
	case n != size:
		r.err = fmt.Errorf("proc_info of process %d: %d bytes, not %d", r.pid, n, size)
	}
	return &r.task, r.err
}
