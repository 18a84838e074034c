package mapped

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"

	"golang.org/x/sys/unix"
)

// ReadMaps reads the mappings of a process in the form of proc_pid_maps(5), and calls
// found for each mapping of a file: with the identity of the file, and whether bytes
// that the process stores in the mapping reach the file. The identity equals that of a
// [File] where the file system shows the same device in both places, as the usual ones
// do; a process finds out by mapping a file and looking for it in its own mappings. The
// error is that of reading maps.
func ReadMaps(maps io.Reader, found func(id Identity, writes bool)) error {
	lines := bufio.NewReaderSize(maps, 1<<14)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if id, writes, ok := parseMapping(line); ok {
			found(id, writes)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the path is of no interest
			_, err = lines.ReadSlice('\n')
		}
	}
}

// parseMapping reads "from-to rw-s offset major:minor inode path".
func parseMapping(line []byte) (id Identity, writes, ok bool) {
	var fields [5][]byte
	for i := range fields {
		fields[i], line, _ = bytes.Cut(line, []byte{' '})
	}
	access, device, inode := fields[1], fields[3], bytes.TrimSpace(fields[4])
	major, minor, cut := bytes.Cut(device, []byte{':'})
	if len(access) != 4 || !cut {
		return id, false, false
	}
	x, err1 := strconv.ParseUint(string(major), 16, 32)
	y, err2 := strconv.ParseUint(string(minor), 16, 32)
	n, err3 := strconv.ParseUint(string(inode), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || n == 0 {
		return id, false, false
	}
	return Identity{unix.Mkdev(uint32(x), uint32(y)), n}, access[1] == 'w' && access[3] == 's', true
}
