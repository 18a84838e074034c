//go:build unix

package metamorphic

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"time"

	"telltale/multiprocess/internal/segment"
)

// Where docs/segment-format.md has fields of the header.
const (
	offChecksum, offStart, offBoot = 16, 40, 72
	checkedFrom, checkedTo         = 20, 384
)

// editHeader changes the header of a segment, if it is there.
func editHeader(path string, edit func(head []byte)) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, checkedTo)
	if _, err := f.ReadAt(head, 0); err != nil {
		return err
	}
	edit(head)
	binary.NativeEndian.PutUint32(head[offChecksum:], crc32.Checksum(head[checkedFrom:], crc32.MakeTable(crc32.Castagnoli)))
	_, err = f.WriteAt(head, 0) // what follows changes while its writer lives
	if err == nil {
		_, err = segment.DecodeHeader(append(head, make([]byte, segment.HeaderSize-len(head))...))
	}
	return err
}

// shift has a segment say that it was made when the wall clock went wrong by so much.
func shift(path, by string) error {
	d, err := time.ParseDuration(by)
	if err != nil {
		return err
	}
	return editHeader(path, func(head []byte) {
		binary.NativeEndian.PutUint64(head[offStart:], binary.NativeEndian.Uint64(head[offStart:])+uint64(d))
	})
}

// reboot has a segment say that it was made before the system was started.
func reboot(path string) error {
	return editHeader(path, func(head []byte) { _, _ = rand.Read(head[offBoot:][:16]) })
}
