// Package spool is the directory that processes share, as the file system has it:
// which names there are and what each says, how a file is opened, checked, created,
// shown and removed, who owns what is created, and the lock of folds.
//
// A process that may write to the directory may put anything under any name there. A
// [Dir] works through one descriptor of the directory, opens regular files alone
// and follows no link; it sets the owner and the permissions of files that it
// created and of no others; it writes to, locks and removes a file only after a
// check that it is the one that was meant. So a stranger may spoil the metrics of
// the directory, and reaches nothing else through it.
//
// A [Survey] settles which segments count: who lives, what an archive has taken up,
// which file is a copy, which epoch counts, and how writers of one label are told
// apart. Readers, folds and stores have no other rules for it. [Clock] compares moments
// of which different boots and clocks say when they were.
//
// # Making operations fail
//
// All operations of a Dir, and of the files that it opens, pass one seam: the
// [mapped.Hook] given to [Open]. It is called before each operation with its kind
// ([mapped.Op]), the name as a string and a number of bytes, and decides whether
// the operation is carried out, in part, or fails, with any error. An injector
// counts calls by kind and name by itself. "Killed there" is a hook that ends the
// process: it does so before the operation, and after one is before the next.
//
// The operations: opendir, checkdir, statdir, list, syncdir (the name is the
// directory's path); stat, open, openwrite, create, rename, renamenew, remove (of a
// name); statfile, read, map, data, write, extend, truncate, chown, chmod, sync,
// lock, locked (of an open file, by the name under which it was opened or to which
// it was renamed). Sizes are given for read, map, write, extend and truncate.
//
// [Dir.Budget] counts the descriptors of the process and passes no hook, nor do
// closing and unmapping.
package spool
