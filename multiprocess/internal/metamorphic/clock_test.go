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
	offChecksum, offStart, offBoot, offAhead = 16, 40, 72, 376
	checkedFrom, checkedTo                   = 20, 384
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

// shift has a segment say that it was made when the wall clock went wrong by so much, and
// that of a process which has ended that it set all its values then.
func shift(path, by string, lives bool) error {
	d, err := time.ParseDuration(by)
	if err != nil {
		return err
	}
	add := func(b []byte) { binary.NativeEndian.PutUint64(b, binary.NativeEndian.Uint64(b)+uint64(d)) }
	err = editHeader(path, func(head []byte) {
		if add(head[offStart:]); !lives && binary.NativeEndian.Uint64(head[offAhead:]) != 0 {
			add(head[offAhead:])
		}
	})
	if err != nil || lives {
		return err
	}
	image, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var table segment.Table
	if _, err := table.Next(segment.Image(image), nil, nil); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, family := range table.Families() {
		if family.Layout != segment.LayoutTimed && family.Layout != segment.LayoutState {
			continue
		}
		for _, rows := range family.Stretches(nil) {
			for i := range rows.Tenants {
				at := rows.Offset + uint64(i*family.Words()+2)*8 // behind the state and the value
				if when := image[at:][:8]; binary.NativeEndian.Uint64(when) != 0 {
					add(when)
					_, failed := f.WriteAt(when, int64(at))
					err = errors.Join(err, failed)
				}
			}
		}
	}
	return errors.Join(err, f.Close())
}

// reboot has a segment say that it was made before the system was started.
func reboot(path string) error {
	return editHeader(path, func(head []byte) { _, _ = rand.Read(head[offBoot:][:16]) })
}
