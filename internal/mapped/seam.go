package mapped

// Op is an operation on a directory or a file, as a [Hook] sees it.
type Op uint8

// The operations. Those on names of a directory come first, those on open files
// then.
const (
	OpOpenDir   Op = iota + 1 // opening a directory; the name is its path
	OpCheckDir                // asking whether the path still leads to it
	OpStatDir                 // fstat and statfs of the directory
	OpList                    // reading its names
	OpSyncDir                 // waiting until its names are on the disk
	OpStat                    // fstatat of a name
	OpOpen                    // opening for reading
	OpOpenWrite               // opening for reading and writing
	OpCreate                  // creating; an existing name is an error
	OpRename                  // renaming over what has the new name; the name is the old one
	OpRenameNew               // renaming to a name that nothing has; the name is the old one
	OpRemove                  // unlinkat
	OpStatFile                // fstat
	OpRead                    // reading n bytes
	OpMap                     // mapping n bytes for reading
	OpData                    // finding where bytes are, between holes
	OpWrite                   // writing n bytes
	OpExtend                  // reserving space for n bytes and mapping them for writing
	OpTruncate                // cutting the file to n bytes
	OpChown                   // fchown
	OpChmod                   // fchmod
	OpSync                    // fsync
	OpLock                    // taking the lock of the whole file
	OpLocked                  // asking whether another opening has the lock
)

var opNames = [...]string{
	OpOpenDir: "opendir", OpCheckDir: "checkdir", OpStatDir: "statdir", OpList: "list", OpSyncDir: "syncdir",
	OpStat: "stat", OpOpen: "open", OpOpenWrite: "openwrite", OpCreate: "create", OpRename: "rename",
	OpRenameNew: "renamenew", OpRemove: "remove", OpStatFile: "statfile", OpRead: "read", OpMap: "map",
	OpData: "data", OpWrite: "write", OpExtend: "extend", OpTruncate: "truncate", OpChown: "chown",
	OpChmod: "chmod", OpSync: "sync", OpLock: "lock", OpLocked: "locked",
}

// Ops returns all operations, in their order.
func Ops() (ops []Op) {
	for op := OpOpenDir; int(op) < len(opNames); op++ {
		ops = append(ops, op)
	}
	return ops
}

// String returns the operation's name: one word in lower case.
func (op Op) String() string {
	if int(op) < len(opNames) && op > 0 {
		return opNames[op]
	}
	return "unknown"
}

// Hook is called before each operation of a [Dir] and of the files that it opened,
// by the goroutine that is about to carry it out; several may call it at once.
// Tests make operations fail with it.
//
// The name is the one that the caller gave to the Dir, without the directory; n is
// how many bytes the operation is about (OpRead, OpMap, OpWrite, OpExtend,
// OpTruncate), else 0. The hook returns how many of them the operation may carry
// out, and the error with which it then ends: (n, nil) lets it pass, (0, ENOSPC)
// makes it fail before anything happened, (n/2, nil) makes reads and writes short,
// and (n/2, ENOSPC) makes them fail half done. Errors are wrapped like those of
// the system, an [fs.PathError] whose path is the file's. A hook that ends the
// process does so before an operation; to end it after one, it waits for the next.
//
// What is stored through mappings, closing and unmapping pass no hook: they
// cannot fail in a way that a program could answer.
type Hook func(op Op, name string, n int64) (int64, error)

// ask calls the hook, if there is one.
func (h Hook) ask(op Op, name string, n int64) (int64, error) {
	if h == nil {
		return n, nil
	}
	return h(op, name, n)
}
