package spool

import (
	"io/fs"
	"os"

	"telltale/internal/mapped"
)

// Access is who may read and write a file.
type Access struct {
	Mode     fs.FileMode
	uid, gid int // -1: as it is created
	must     bool
	anybody  bool // the user need not be of the group: all may write to the directory
}

// Private is the access of files that no other user may touch yet: a process that may
// write to a file can truncate it, which ends a process that writes to a mapping of it.
var Private = Access{Mode: 0o600, uid: -1, gid: -1}

// Access returns the access of files that are created for the directory. Without
// permissions they are for the user alone, and for the directory's group if that
// may write to the directory. Root gives what it creates to the directory's owner
// and group, others try to give it to the group.
func (d *Dir) Access(perm *fs.FileMode) (Access, error) {
	info, err := d.Info()
	if err != nil {
		return Access{}, err
	}
	a := Access{Mode: 0o600, uid: -1, gid: int(info.GID)}
	switch {
	case perm != nil:
		a.Mode, a.must = perm.Perm(), true
	case info.Perm&0o020 != 0:
		a.Mode |= 0o060
	}
	if os.Geteuid() == 0 {
		a.uid = int(info.UID)
	}
	return a, nil
}

// lockAccess returns the access of locks: who may write to the directory may fold it,
// and send what it has.
func (d *Dir) lockAccess() (Access, error) {
	info, err := d.Info()
	if err != nil {
		return Access{}, err
	}
	a, err := d.Access(nil)
	if info.Perm&0o002 != 0 {
		a.Mode |= 0o006
	}
	return a, err
}

// Like returns the access of a file that takes up what others hold: that of the
// file with the info, whose owner root keeps, with that mode or the permissions that
// were given by an option.
func (d *Dir) Like(info *mapped.Info, mode fs.FileMode, perm *fs.FileMode) Access {
	a := Access{Mode: mode, uid: -1, gid: int(info.GID), must: perm != nil}
	if perm != nil {
		a.Mode = perm.Perm()
	}
	a.Mode |= 0o600
	if os.Geteuid() == 0 {
		a.uid = int(info.UID)
	}
	dir, err := d.Info()
	a.anybody = err != nil || dir.Perm&0o002 != 0
	return a
}

// Give sets the owner, the group and the permissions of a file that this process has
// created with the access Private.
func (d *Dir) Give(g *mapped.Growing, access Access) error { return access.give(g) }

// give sets the owner, the group and the permissions of a file that this process
// has just created. The group's permissions are left out where the group cannot be
// had, unless they were given by an option.
func (a Access) give(g *mapped.Growing) error {
	info, err := g.Stat()
	if err != nil {
		return err
	}
	mode := a.Mode
	if a.uid >= 0 && uint32(a.uid) != info.UID || a.gid >= 0 && uint32(a.gid) != info.GID {
		err := g.Chown(a.uid, a.gid)
		if err != nil && a.uid >= 0 {
			err = g.Chown(-1, a.gid)
		}
		if err != nil && !a.must {
			mode &^= 0o070
		}
	}
	if mode == info.Perm {
		return nil
	}
	return g.Chmod(mode)
}

// Discloses reports whether a file of that access, made by this process, could be
// read by a user who cannot read the file with the info: by its owner, its group
// or by all.
func (a Access) Discloses(info *mapped.Info) bool {
	const user, group, others = 0o400, 0o040, 0o004
	owner := uint32(max(a.uid, 0))
	if a.uid < 0 {
		owner = uint32(max(os.Geteuid(), 0))
	}
	all := info.Perm&others != 0
	sameGroup := uint32(a.gid) == info.GID && info.Perm&group != 0
	switch {
	case owner != 0 && owner != info.UID && !all && (!sameGroup || a.anybody && a.uid >= 0):
		return true
	case a.Mode&group != 0 && !all && !sameGroup:
		return true
	}
	return a.Mode&others != 0 && !all
}
