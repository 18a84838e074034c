package mapped

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSystemOf returns the file system on which an open file lies.
func fileSystemOf(fd int) (FileSystem, error) {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(fd, &st) }); err != nil {
		return FileSystem{}, err
	}
	number := uint32(st.Type) // its type, and so its sign, differs from system to system
	switch number {
	case unix.TMPFS_MAGIC:
		return FileSystem{Name: "tmpfs", Memory: true, Proven: true}, nil
	case unix.RAMFS_MAGIC:
		return FileSystem{Name: "ramfs", Memory: true}, nil
	case unix.EXT4_SUPER_MAGIC:
		return FileSystem{Name: "ext4", Proven: true}, nil
	case unix.XFS_SUPER_MAGIC:
		return FileSystem{Name: "xfs", Proven: true}, nil
	}
	if name, ok := remote[number]; ok {
		return FileSystem{Name: name, Remote: true}, nil
	}
	if name, ok := local[number]; ok {
		return FileSystem{Name: name}, nil
	}
	return FileSystem{Name: fmt.Sprintf("%#x", number)}, nil
}

// Numbers without a name are from the file systems' own sources; statfs(2) and
// linux/magic.h list the others.

var local = map[uint32]string{
	unix.BTRFS_SUPER_MAGIC:     "btrfs",
	unix.F2FS_SUPER_MAGIC:      "f2fs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
	0xca451a4e:                 "bcachefs",
	0x2fc12fc1:                 "zfs",
}

var remote = map[uint32]string{
	unix.AFS_FS_MAGIC:      "afs",
	unix.AFS_SUPER_MAGIC:   "afs",
	unix.CEPH_SUPER_MAGIC:  "ceph",
	unix.CIFS_SUPER_MAGIC:  "cifs",
	unix.CODA_SUPER_MAGIC:  "coda",
	unix.FUSE_SUPER_MAGIC:  "fuse",
	unix.NFS_SUPER_MAGIC:   "nfs",
	unix.OCFS2_SUPER_MAGIC: "ocfs2",
	unix.SMB2_SUPER_MAGIC:  "smb2",
	unix.SMB_SUPER_MAGIC:   "smb",
	unix.V9FS_MAGIC:        "9p",
	0x01161970:             "gfs2",
	0x0bd00bd0:             "lustre",
	0x20030528:             "orangefs",
	0x47504653:             "gpfs",
	0x786f4256:             "vboxsf",
	0xbacbacbc:             "vmhgfs",
}
