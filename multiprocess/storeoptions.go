package multiprocess

import (
	"io/fs"
	"time"
)

// StoreOption is an option of [Open].
type StoreOption interface{ applyStore(*storeSettings) }

type storeOption func(*storeSettings)

func (o storeOption) applyStore(s *storeSettings) { o(s) }

// storeSettings is what options of a store say, those of its collector among
// them.
type storeSettings struct {
	*settings
	writer   string
	perm     fs.FileMode
	interval time.Duration
	remote   bool
}

func newStoreSettings(opts []StoreOption) storeSettings {
	s := storeSettings{settings: newSettings(nil), perm: 0o600, interval: 5 * time.Second}
	for _, o := range opts {
		o.applyStore(&s)
	}
	return s
}

// WithWriterName names the writer: gauges of the modes all and liveall, which
// have one series a process, have it as their label pid in place of the number.
// A worker's place among its siblings ("worker-3") keeps such series from growing
// in number with every restart. It has at most 63 bytes.
func WithWriterName(name string) StoreOption {
	return storeOption(func(s *storeSettings) { s.writer = name })
}

// WithPermissions sets the permissions of the segment in place of 0600. Who may
// read the directory's files merges them, who may write to them folds them.
func WithPermissions(perm fs.FileMode) StoreOption {
	return storeOption(func(s *storeSettings) { s.perm = perm })
}

// WithPublishInterval sets how often what custom collectors and callbacks emit
// is shown to other processes, in place of five seconds. When this process is
// asked itself they are always asked anew.
func WithPublishInterval(d time.Duration) StoreOption {
	return storeOption(func(s *storeSettings) { s.interval = max(d, time.Second) })
}

// WithRemoteFileSystem lets the directory be on a file system of another machine
// or of the host (NFS, CIFS, 9p, virtiofs, FUSE). Such file systems may lose
// locks, and then writers that live count as dead, or not show one process what
// another one wrote.
func WithRemoteFileSystem() StoreOption {
	return storeOption(func(s *storeSettings) { s.remote = true })
}

// epochName returns the epoch of segments that are made.
func (s *storeSettings) epochName() string {
	if s.epoch == nil {
		return ""
	}
	return *s.epoch
}
