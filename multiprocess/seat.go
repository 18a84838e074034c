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
	inode    uint64    // of the directory that it was made for
	newest   time.Time // that was given to a sample; the zero Time if there was none
}

const (
	seatTitle  = "telltale send 1\n"
	newestSize = 16 // digits

	newestAt = int64(len(seatTitle) + len("identity ") + 32 + len("\ndirectory ") + 20 + len("\nnewest "))
	seatSize = newestAt + newestSize + int64(len("\n"))
)

func (s *seat) String() string {
	return fmt.Sprintf("%sidentity %x\ndirectory %020d\nnewest %s\n", seatTitle, s.identity, s.inode, newestText(s.newest))
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
	if _, err := fmt.Sscanf(text, seatTitle+"identity %x\ndirectory %d\nnewest %d\n", &identity, &s.inode, &newest); err == nil && len(identity) == len(s.identity) {
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
