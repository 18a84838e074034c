package multiprocess

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"telltale/internal/mapped"
)

// notes are what folds remember of Python's files: since when their bytes are
// what they are. The times of the files do not tell, since storing into a mapping
// does not move them.
type notes map[string]note

type note struct {
	Inode uint64    `json:"inode"`
	Sum   string    `json:"sha256"`
	Since time.Time `json:"since"`
}

// notesLimit bounds what is read: far more than any directory needs.
const notesLimit = 64 << 20

// readNotes reads the notes of the last fold. Without them time begins anew.
func readNotes(dir string) (n notes) {
	file, err := os.Open(filepath.Join(dir, foldNotesName))
	if err != nil {
		return nil
	}
	defer file.Close() //nolint:errcheck // it was only read from
	if json.NewDecoder(io.LimitReader(file, notesLimit)).Decode(&n) != nil {
		return nil
	}
	return n
}

// write keeps the notes for the next fold.
func (n notes) write(dir string) error {
	text, err := json.MarshalIndent(n, "", "\t")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, temporary+"notes-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, foldNotesName))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// imprint tells a file and its bytes from others.
type imprint struct {
	identity mapped.Identity
	sum      string
}

// fingerprint reads the used bytes of one of Python's files.
func fingerprint(path string) (p imprint, err error) {
	file, err := mapped.OpenNoFollow(path)
	if err != nil {
		return p, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return p, err
	}
	if err := checkRegular(info); err != nil {
		return p, err
	}
	buffer := bytesOf(make([]uint64, 1<<13))
	n := min(info.Size, int64(len(buffer)))
	if n < headerSize {
		return p, checkUsed(0, info.Size)
	}
	sum := sha256.New()
	used := int64(-1)
	for at := int64(0); used < 0 || at < used; {
		chunk := buffer[:min(n, info.Size-at)]
		if _, err := file.ReadAt(chunk, at); err != nil {
			return p, err
		}
		if used < 0 {
			used = int64(readUsed(chunk))
			if err := checkUsed(int(used), info.Size); err != nil {
				return p, err
			}
		}
		chunk = chunk[:min(int64(len(chunk)), used-at)]
		_, _ = sum.Write(chunk) // never fails
		at += int64(len(chunk))
	}
	p.identity, p.sum = info.Identity, hex.EncodeToString(sum.Sum(nil))
	return p, nil
}
