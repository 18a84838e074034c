package mapped

import "golang.org/x/sys/unix"

// Born returns when the directory was made, in nanoseconds since 1970; 0 where the system
// does not say. Another directory that gets its inode later was made later.
func (d *Dir) Born() int64 {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(d.fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st) })
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
}
