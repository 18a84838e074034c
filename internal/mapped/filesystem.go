package mapped

// FileSystem says what a writer has to know of the file system that holds its
// files. The zero FileSystem is one of which nothing is known.
type FileSystem struct {
	// Name is what the system calls it, such as tmpfs, ext4 or nfs; on Linux
	// the number of statfs(2) in hexadecimal for one that is not known here, and
	// empty on systems that were not asked. What the kernel does not tell apart
	// has one name: ext2 and ext3 are ext4, virtiofs is fuse.
	Name string
	// Memory says that it is in memory (tmpfs, ramfs): gone with the system, and
	// counted against it.
	Memory bool
	// Proven says that space which [Growing.Extend] reserved stays reserved, so
	// that no store into an extent can fail for want of it, unless a process makes a
	// clone of the file that shares it. File systems that copy on write, such as
	// btrfs and zfs, need new space for every store.
	Proven bool
	// Remote says that other machines may write to the same files, or that a
	// process serves them (NFS, SMB, 9p, FUSE and the like): mappings of one file
	// need not show the same bytes, and locks need not hold.
	Remote bool
}
