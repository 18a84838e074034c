// Package segment is the file format in which a process keeps the cells of its
// instruments, where other processes read them: docs/segment-format.md, byte for
// byte. It works on memory and knows nothing of files, locks or directories.
//
// A [Writer] lays out records in memory that never moves and hands out rows of
// cells; the holder of a row counts in it with atomic operations and no lock.
// A [Table] reads the records that are published, checks each, and says where the
// rows of which series lie. Whatever bytes it is given, it neither panics nor reads
// outside of them.
package segment
