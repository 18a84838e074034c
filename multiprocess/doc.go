// Package multiprocess merges the metrics of many processes into one page.
//
// Python's client (prometheus_client), where a service runs several worker
// processes, lets each write its metrics into files with the suffix .db in a
// shared directory. A [Collector] merges them, so that a Go program can serve the
// metrics of a gunicorn service; [Merge] merges files at hand; and
// [MarkProcessDead] forgets the live gauges of a worker that has ended.
//
// # What is read
//
// Both layouts of the files, 8-byte values up to client 0.17 and values with
// times since 0.18, with keys of three elements and of four, with help. Names are
// {counter,histogram,summary}_{pid}.db and gauge_{mode}_{pid}.db. The layout is
// not marked in the files: it is the one in which the chain of entries ends
// exactly where the header says.
//
// # How values become one
//
// Counters, summaries, histograms and gauges of the mode sum add up. Gauges of the
// modes min, max and mostrecent keep one value, those of the mode all one for each
// process, with the label pid. The live modes merge alike; their files are deleted
// when a process ends. It is what Python's client does, but for this:
//
//   - Files are merged in the order of their names and families come out in the
//     order of theirs, so that every worker prints the same page. Where files
//     disagree on a family, the first decides its type, unit and help, and the
//     last its mode; what has another type is left out. Each such family is
//     counted and told to the error hook.
//   - NaN is the least or greatest of gauges only where all are NaN. In Python it
//     depends on which file is read first.
//   - A label pid of the application is kept in the modes that do not add one of
//     their own; there it gives way. Python drops it in all modes.
//   - A pid may contain underscores.
//   - A file that cannot be read costs that file and not the page.
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
// # What it costs
//
// The first collection reads all files; later ones read values only. Files stay
// mapped within limits ([WithMappingLimits]), without descriptors, and are listed
// anew when the directory has changed. A file that somebody truncates while it is
// mapped is left out like any other that cannot be read. The directory should be
// on a local file system, best of all a tmpfs.
package multiprocess
