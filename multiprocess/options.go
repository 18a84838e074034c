package multiprocess

import (
	"io/fs"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/fold"
	"telltale/multiprocess/internal/merging"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/spool"
	"telltale/multiprocess/internal/store"
)

// Option is an option of [NewCollector] and of [Open].
type Option interface {
	StoreOption
	apply(*settings)
}

type option func(*settings)

func (o option) apply(s *settings)           { o(s) }
func (o option) applyStore(s *storeSettings) { o(s.settings) }

// StoreOption is an option of [Open].
type StoreOption interface{ applyStore(*storeSettings) }

type storeOption func(*storeSettings)

func (o storeOption) applyStore(s *storeSettings) { o(s) }

// FoldOption is an option of [Fold].
type FoldOption interface{ applyFold(*fold.Settings) }

type foldOption func(*fold.Settings)

func (o foldOption) applyFold(s *fold.Settings) { o(s) }

// SharedOption is an option of [NewCollector], [Open] and [Fold]. Those that work
// on one directory should be given the same.
type SharedOption interface {
	Option
	FoldOption
}

// sharedOption is what an option says of folds, and of collecting, if it says
// anything of that. Collectors and stores fold too.
type sharedOption struct {
	foldOption
	collector option
}

func (o sharedOption) apply(s *settings) {
	if o.collector != nil {
		o.collector(s)
	}
	s.fold = append(s.fold, o.foldOption)
}

func (o sharedOption) applyStore(s *storeSettings) { o.apply(s.settings) }

// settings is what options of a collector say.
type settings struct {
	hook    func(error)
	limits  spool.Limits
	maxRead spool.ReadLimit
	epoch   *string       // nil: the one that the segments say
	service string        // empty: any
	age     time.Duration // for how long a writer is taken to live
	expiry  time.Duration
	remote  bool         // the directory may be on another machine's file system
	still   bool         // nothing is folded
	fold    []FoldOption // of folds in the background
	files   mapped.Hook  // passed by all operations on files; nil but in tests
}

// defaultExpiry is for how long series of single processes that died are shown.
const defaultExpiry = time.Hour

func newSettings(opts []Option) *settings {
	s := &settings{hook: func(error) {}, limits: spool.DefaultLimits(), age: time.Second, expiry: defaultExpiry}
	for _, o := range opts {
		o.apply(s)
	}
	return s
}

// tell calls the hook, whose panics end here.
func (s *settings) tell(err error) {
	defer func() { _ = recover() }()
	s.hook(public(err))
}

// gathering returns the settings of package merging.
func (s *settings) gathering() merging.Settings {
	return merging.Settings{Tell: s.tell, Limits: s.limits, MaxRead: s.maxRead, Age: s.age, Epoch: s.epoch, Service: s.service, Expiry: s.expiry, Files: s.files}
}

// storeSettings is what options of a store say, those of its collector among
// them.
type storeSettings struct {
	*settings
	writer      string
	perm        *fs.FileMode // nil: as the directory's are
	interval    time.Duration
	foldAtClose bool
}

func newStoreSettings(opts []StoreOption) storeSettings {
	s := storeSettings{settings: newSettings(nil), interval: 5 * time.Second}
	for _, o := range opts {
		o.applyStore(&s)
	}
	return s
}

// keeping returns the settings of the part that keeps the segment.
func (s *storeSettings) keeping() store.Settings {
	k := store.Settings{Tell: s.tell, Writer: s.writer, Service: s.service, Perm: s.perm, Interval: s.interval, Remote: s.remote, MaxRead: s.maxRead, Files: s.files}
	if s.epoch != nil {
		k.Epoch = *s.epoch
	}
	return k
}

func newFoldSettings(opts []FoldOption) fold.Settings {
	s := fold.Settings{Expiry: defaultExpiry, Processes: python.Processes{Root: python.ProcRoot}, Step: func(string) {}}
	for _, o := range opts {
		o.applyFold(&s)
	}
	return s
}

// WithErrorHook sets a function that is called for every file that is left out, with a
// [*FileError], for every disagreement of writers on a family, with a [*ConflictError],
// and for folds that fail: once, and again only after a change. A store calls it too
// when its disk is full. It is called by the goroutine that collects or by one of its
// own; a panic of the hook is ignored.
func WithErrorHook(hook func(error)) Option {
	return option(func(s *settings) {
		if hook != nil {
			s.hook = hook
		}
	})
}

// WithMappingLimits bounds what stays mapped between collections; without it
// that is 16,384 files and 16 GiB of address space, on 32-bit systems 4,096 and
// 256 MiB. Files beyond are opened and read at each collection, which takes
// about ten times as long, within [WithReadLimit]. With limits of 0 nothing is mapped.
func WithMappingLimits(files int, bytes int64) Option {
	return option(func(s *settings) { s.limits.MaxFiles, s.limits.MaxBytes = files, bytes })
}

// WithReadLimit sets how many bytes a file may have that is read whole into memory because it
// is not mapped; without it that is 1 GiB, on 32-bit systems 256 MiB. Files are read that are
// beyond [WithMappingLimits] and those of Python's client that are folded, and all files
// where the system has no mappings. A larger one is left out, with [ReasonRead], and folds
// leave it alone. 0 means no limit.
func WithReadLimit(bytes int64) SharedOption {
	limit := spool.ReadLimit(bytes)
	if bytes <= 0 {
		limit = spool.NoReadLimit
	}
	return sharedOption{
		collector:  func(s *settings) { s.maxRead = limit },
		foldOption: func(s *fold.Settings) { s.MaxRead = limit },
	}
}

// WithoutFolding has a collector or a store fold nothing by itself. Without it
// what dead writers left is folded in the background ([Fold]), if this process may
// write to the directory: by a store where they are many, when it is opened and
// every minute, or where they are few by the first collection a minute later.
func WithoutFolding() Option { return option(func(s *settings) { s.still = true }) }

// WithEpoch names the run of the service that counts. A store writes for it, a
// collector merges only segments of it. A restart of the whole service with another
// epoch starts from zero, with the same one it goes on. It has at most 63 bytes.
//
// Without it a store's epoch is empty. Collectors and folds go by an epoch that has a
// name if any segment has one, among those by one that a live writer has, and among
// those by the one that first appeared last: so the totals begin anew once, when the
// first process of a new epoch is there. A process without an epoch beside others that
// have one is left out and told to the error hook; folds delete nothing of it.
//
// A fold deletes what is left of epochs that are over: that appeared earlier and that
// no live writer has. One that is given the epoch ([Fold] with this option) takes all
// others that no live writer has for over. Folds in the background are given none.
//
// Python's files have no epoch and always count.
func WithEpoch(epoch string) SharedOption { return epochOption(epoch) }

type epochOption string

func (o epochOption) apply(s *settings)           { s.epoch = (*string)(&o) }
func (o epochOption) applyStore(s *storeSettings) { o.apply(s.settings) }
func (o epochOption) applyFold(s *fold.Settings)  { s.Epoch = (*string)(&o) }

// WithService names the service to which the directory belongs, so that two services
// that were given one directory by mistake do not mix their metrics: Open, Fold and
// collections return an error where a live writer or the archive there is of another
// service, or, where none of those is of this one, what a dead writer left. Of two
// services that open stores at the same instant at most one gets its store. Processes
// without a service name belong to any service. It has at most 63 bytes.
func WithService(name string) SharedOption {
	return sharedOption{
		collector:  func(s *settings) { s.service = name },
		foldOption: func(s *fold.Settings) { s.Service = name },
	}
}

// WithExpiry says for how long the series that a process had for itself, of a gauge of
// the mode all, are shown after it was found dead and its segment was folded; without
// it that is an hour. The time counts from the end of the process, and each collector
// and fold has its own; it is no part of the family, unlike that of
// telltale.WithIdleExpiry, which counts from the last update. Where both apply a series
// leaves at the earlier time.
func WithExpiry(after time.Duration) SharedOption {
	return sharedOption{
		collector:  func(s *settings) { s.expiry = after },
		foldOption: func(s *fold.Settings) { s.Expiry = after },
	}
}

// WithPythonFiles has the files of Python's client folded too. A Python program
// that reads the same directory (MultiProcessCollector) knows nothing of the
// archive and misses what was folded.
//
// A file is folded if its process has certainly ended: if no process of the
// system has it mapped for writing and none has its pid. That can be seen on
// Linux, outside of containers, by root or by a user who owns all that runs;
// where it cannot, [MarkProcessDead] and [WithDeadAfter] say so. What was folded
// counts for the epoch of the archive.
func WithPythonFiles() SharedOption {
	return sharedOption{foldOption: func(s *fold.Settings) { s.Python = true }}
}

// WithDeadAfter has a file of Python's client taken for that of a dead process if
// its bytes have not changed for d and no process with its pid is in sight. It is
// for places from where not all processes can be seen, and for services whose
// processes are never idle for so long: what a process writes after its file was
// folded is lost. The time counts from when a fold with this option first saw the
// bytes, which the file fold.json keeps. 0, as without the option, means never.
func WithDeadAfter(d time.Duration) SharedOption {
	return sharedOption{foldOption: func(s *fold.Settings) { s.DeadAfter = max(0, d) }}
}

// WithDryRun makes a fold change nothing: the report says what it would do. It takes no
// lock and needs no permission to write.
func WithDryRun() FoldOption { return foldOption(func(s *fold.Settings) { s.DryRun = true }) }

// WithWriterName names the writer: gauges of the modes all and liveall, which
// have one series a process, have it as their label pid in place of the number.
// A worker's place among its siblings ("worker-3") keeps such series from growing
// in number with every restart. It has at most 63 bytes.
func WithWriterName(name string) StoreOption {
	return storeOption(func(s *storeSettings) { s.writer = name })
}

// WithPermissions sets the permissions of the segment, and those of the archive when
// this store folds. Without it they are 0600, or 0660 where the directory's group may
// write to the directory: then a segment gets that group, if its process may give it. A
// process that may read the directory's files can merge them, and one that may write to
// the directory and to its segments can fold them. A fold leaves a segment alone if
// fewer users may read it than the archive.
func WithPermissions(perm fs.FileMode) StoreOption {
	perm = perm.Perm()
	return storeOption(func(s *storeSettings) {
		s.perm = &perm
		s.fold = append(s.fold, foldOption(func(f *fold.Settings) { f.Perm = &perm }))
	})
}

// WithPublishInterval sets how often what custom collectors and callbacks emit
// is shown to other processes, in place of five seconds. When this process is
// asked itself they are always asked anew.
func WithPublishInterval(d time.Duration) StoreOption {
	return storeOption(func(s *storeSettings) { s.interval = max(d, time.Second) })
}

// WithRemoteFileSystem lets stores write and folds fold in a directory on a file
// system of another machine or of the host (NFS, CIFS, 9p, virtiofs, FUSE). Such
// file systems may lose locks, and then writers that live count as dead, or not
// show one process what another one wrote.
func WithRemoteFileSystem() SharedOption {
	return sharedOption{
		collector:  func(s *settings) { s.remote = true },
		foldOption: func(s *fold.Settings) { s.Remote = true },
	}
}

// WithFoldAtClose has [Store.Close] fold what dead writers left. What the store
// itself wrote is not among it: its process still lives.
func WithFoldAtClose() StoreOption {
	return storeOption(func(s *storeSettings) { s.foldAtClose = true })
}
