// Package multiprocess makes one page of the metrics of many processes.
//
// Go processes share a directory: each calls [Open] and gives the [Store] to its
// registry (telltale.WithStore, or UseStore early in main). From then on its
// instruments count in a file that it maps, its segment, by the same atomic
// operations as on the heap, and its registry shows what all processes have
// counted. Any of them may serve /metrics, as may a process beside them, with a
// [Collector]. A process that is killed has lost nothing that it had counted.
//
// Python's client (prometheus_client), where a service runs several worker
// processes, lets each write its metrics into files with the suffix .db. A
// Collector merges those too; [Merge] merges files at hand; and [MarkProcessDead]
// forgets the live gauges of a worker that has ended. Writing Python's files is
// left to Python: they have no place for what telltale's segments have, and no
// lock that would tell whether their writer lives.
//
// # Who is alive
//
// A writer holds a lock on its segment until its process ends, however it ends. A
// segment that is not locked is one whose writer is dead. PIDs play no part in this, so
// containers that share a directory may have the same ones.
//
// What dead writers left is added up in one file, the archive ([Fold]). Stores and
// collectors do that in the background, and "telltale fold" by hand. Totals stay
// what they are while it goes on, for readers that know nothing of it, and when
// the folding process is killed at any step.
//
// # What others see of an instrument
//
// Counters, histograms and summaries add up, over dead processes too. Gauges
// become one by their mode (telltale.WithGaugeMode); without one, each process has
// a series of its own, with the label pid. Infos show the label sets of all
// processes that live, enums the state that one of them was set to last. The
// created time of a series is its first, an exemplar the newest. Removing a series
// takes out what this process and those that are dead have of it; others keep
// theirs.
//
// Native buckets add up at the coarsest resolution that some process has, and are never
// emptied (telltale.WithNativeMinReset), or the sum would fall. Where some processes
// have none, none are shown, and the error hook is told. Quantiles of summaries stay
// out of a store: telltale.WithQuantiles says why.
//
// Callbacks and custom collectors are published every few seconds, and when the store
// is closed; the process that is scraped runs its own anew. Their gauges have a series
// for each process.
//
// # Segments
//
// The format is in docs/segment-format.md, byte for byte. A segment takes 16 KiB
// at first, grows as series are made and never shrinks. Its space is reserved
// before it is used: where the disk is full new series live on the heap, and a
// full disk does not end the process, on a tmpfs, ext4 and xfs. The directory
// should be on a tmpfs, because other file systems make a process wait now and
// then for a page that is being written to the disk. It has to be on this machine.
// What is written survives any end of a process, and not the loss of power.
//
// Open needs Linux, macOS or a BSD. Elsewhere it says that it cannot work;
// collecting Python's files works everywhere.
//
// # Python's files
//
// Both layouts of the files are read, 8-byte values up to client 0.17 and values with
// times since 0.18, with keys of three elements and of four, with help. Names are
// {counter,histogram,summary}_{pid}.db and gauge_{mode}_{pid}.db. The layout is not
// marked in the files: it is the one in which the chain of entries ends exactly where
// the header says.
//
// # How values become one
//
// Counters, summaries, histograms and gauges of the mode sum add up. Gauges of the
// modes min, max and mostrecent keep one value, those of the mode all one for each
// process, with the label pid. The live modes merge alike, for processes that are
// alive: Python's files of them are deleted when a process ends. This is what Python's
// client does, with these differences:
//
//   - Files are merged in the order of their names and families come out in the order
//     of theirs, so that every worker prints the same page. Where files of Python
//     disagree on a family, the first decides its type, unit and help, and the last its
//     mode; what has another type is left out. The next section has the rule for
//     segments. Each such family is counted and told to the error hook.
//   - NaN is the least or greatest of gauges only where all are NaN. In Python it
//     depends on which file is read first.
//   - A label pid of the application is kept in the modes that do not add one of
//     their own; there it gives way. Python drops it in all modes.
//   - A pid may contain underscores.
//   - A file that cannot be read costs that file and not the page.
//
// # How segments become one
//
// Segments merge like Python's files, and tell more: units, created times, exemplars,
// infos, state sets, and which series were removed. A writer lives as long as it
// holds the lock on its segment.
//
//   - Live modes of gauges, infos, state sets, gauge histograms and values of unknown
//     type are merged from live writers only. An info has the label sets of all of
//     them, a state set the state that was set last, and a value of unknown type a
//     series for each process.
//   - A process's label pid is the name that was given to its writer, or the pid.
//     Of several writers with the same on one host and in one PID namespace one
//     counts: one that lives, and the one that started last. Live ones of several
//     hosts or namespaces all do, and are told apart by them: pid="1@host".
//   - Whether a writer lives is known within a second, and at once when files came or
//     went. Totals do not depend on it.
//   - Series of the mode all vanish an hour after their process was found dead and
//     folded ([WithExpiry]).
//   - A series that nobody updates (telltale.WithIdleExpiry) goes on as long as any
//     process updates it, and then ends with all that was counted in it. When it comes
//     back it begins at 0. A series that a process has, or has left, in a family to
//     which it gave no expiry does not end.
//   - Where writers disagree on a family, that definition decides which first appeared
//     last, of those that a live writer has; Python's files come behind those, and what
//     the dead left last. Other types are left out, and other help texts are not shown.
//     At a bound of a histogram each writer counts what it has at its largest own bound
//     not above it: so a count at a bound does not fall when others have other bounds.
//   - A family is left out if one of its names belongs to another family, as a
//     gauge x_total and a counter x of two programs do: no page can have both. The
//     same order decides.
//   - Segments belong to an epoch, and one epoch counts. Segments of other epochs are
//     left out ([WithEpoch]), and so are those without an epoch where others have one.
//   - A merged series was created when the first of its contributions was, as far
//     as they know, and its exemplar is the newest.
//
// Nothing is counted twice or lost while a fold moves the segments of dead writers
// into the archive: a collection that a fold meets reads again.
//
// # What has no series
//
// A mostrecent gauge that was never set, or was set at or before 1970, has no
// series, as in Python, and neither has one from a file without times.
//
// # What the dead leave
//
// [Fold] adds up what dead writers left and puts it into one file, archive.seg, so
// that files do not pile up; [Inspect] says what each file of a directory is. A
// fold may be killed at any instant: it takes fold.lock, locks the segments of
// dead writers, writes the next archive under another name, which says what it has
// absorbed, renames it in, and only then deletes what it absorbed. Readers ignore
// the files that an archive names, and begin anew when it was replaced meanwhile.
// Names leave its list only once their deletion is on the disk.
//
// Segments are dead when nobody has them locked. Python's files have no lock: see
// [WithPythonFiles].
//
// # Who is trusted
//
// A process that may write to the directory may spoil its metrics, and nothing else:
// all operations go through one descriptor of the directory, regular files alone are
// opened, names are taken only in their strict forms, and what a file says is checked
// (SECURITY.md, docs/segment-format.md). A page that had a file has it again as long
// as the file is there: if it cannot be read, from the mapping, and if there is none
// the collection fails. Files that never could be read are left out, told to the
// error hook and counted, and looked at again when they change or after ten seconds.
//
// Segments and the archive have the permissions 0600, or 0660 where the directory's
// group may write to the directory ([WithPermissions]). A process that may write to the
// directory may fold it. A fold holds at most 256 files open, and no more than a
// quarter of the descriptors that its process has left.
//
// # What it costs
//
// The first collection reads all files; later ones read only values and what is new.
// They look whether the lock of a segment is still held if its writer lived before and
// has not noted in the segment within the last second that it lives, as writers do
// every second. Files stay mapped within limits ([WithMappingLimits], [WithReadLimit]), without
// descriptors, and are listed anew when the directory has changed. A file that is
// truncated while it is mapped is left out like any other that cannot be read. The
// directory should be on a local file system, best of all a tmpfs.
package multiprocess
