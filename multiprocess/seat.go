package multiprocess

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// seat is what the file send.lock says: four lines of fixed length.
type seat struct {
	identity [16]byte
	of       uint64    // the directory that it was made for, see placeOf
	newest   time.Time // that was given to a sample; the zero Time if there was none
}

const (
	seatTitle  = "telltale send 1\n"
	newestSize = 16 // digits

	newestAt = int64(len(seatTitle) + len("identity ") + 32 + len("\ndirectory ") + 20 + len("\nnewest "))
	seatSize = newestAt + newestSize + int64(len("\n"))
)

// placeOf tells a directory from others and from its copies: its inode, and when it was
// made, where the system says that, since inodes are used again and begin anew in each
// file system.
func placeOf(inode uint64, born int64) uint64 {
	const spread = 0x9e3779b97f4a7c15 // over all bits
	return inode ^ uint64(born)*spread
}

func (s *seat) String() string {
	return fmt.Sprintf("%sidentity %x\ndirectory %020d\nnewest %s\n", seatTitle, s.identity, s.of, newestText(s.newest))
}

// newestText is a time in milliseconds since 1970, which overwrites the one before.
func newestText(t time.Time) string {
	if t.IsZero() {
		return fmt.Sprintf("%0*d", newestSize, 0)
	}
	return fmt.Sprintf("%0*d", newestSize, max(0, t.UnixMilli()))
}

// readSeat reads a file of that size.
func readSeat(file io.ReaderAt, size int64) (s seat, err error) {
	if size != seatSize {
		return s, fmt.Errorf("it has %d bytes instead of %d", size, seatSize)
	}
	text := make([]byte, seatSize)
	if _, err := file.ReadAt(text, 0); err != nil {
		return s, err
	}
	return parseSeat(string(text))
}

func parseSeat(text string) (s seat, err error) {
	var identity []byte
	var newest int64
	if _, err := fmt.Sscanf(text, seatTitle+"identity %x\ndirectory %d\nnewest %d\n", &identity, &s.of, &newest); err == nil && len(identity) == len(s.identity) {
		copy(s.identity[:], identity)
	}
	if newest != 0 {
		s.newest = time.UnixMilli(newest)
	}
	if s.String() != text || s.identity == [16]byte{} {
		return seat{}, errors.New("it is not as telltale writes it")
	}
	return s, nil
}
