// Package inject makes file operations fail in tests, by rules in a small language.
//
// A rule says what happens, to which operation, on files of which name, and to
// which of those operations, counted from 1:
//
//	ENOSPC on write writer-*.seg 3     # the third write fails
//	EMFILE on open * 5+                # the fifth and all later ones fail
//	EACCES on remove writer-*.seg      # all fail
//	short read archive.seg 1           # half of the bytes are read
//	short EIO on write writer-*.seg 1  # half of the bytes are written, then it fails
//	kill before rename archive.seg 1   # the process ends with SIGKILL
//
// There is one rule a line; empty lines, and what follows a # at the beginning of
// a line or behind a space, are ignored. Operations are named as [mapped.Op.String]
// has them, * is any. Names are patterns of [path.Match], matched against the
// name in the directory (the last part of a path); operations on the directory
// itself have the name ".".
//
// Each pair of an operation and a pattern has one count, which all rules with that
// pair share. If several rules apply to an operation the first one decides. A rule
// that does not apply has no effect but that its operations are counted.
//
// An [Injector] is what rules do: its method Hook is a [mapped.Hook]. It also keeps
// a trace of the operations that it saw, from which tests make rules that let each
// of them fail in turn.
//
// Nothing but tests imports this package. A process that a test starts gets its
// rules in an environment variable: see [Injector.Environment] and
// [FromEnvironment].
package inject
