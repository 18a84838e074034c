package python

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

// Notes are what folds remember of Python's files: since when their bytes are
// what they are. The times of the files do not tell, since storing into a mapping
// does not move them.
type Notes map[string]Note

// Note is what is remembered of a file.
type Note struct {
	Inode uint64    `json:"inode"`
	Sum   string    `json:"sha256"`
	Since time.Time `json:"since"`
}

// notesLimit is how many bytes of notes are read: those on some 20,000 files.
const notesLimit = 4 << 20

// ReadNotes reads the notes of the last fold. Where there are none time begins
// anew; after an error too, which says that they are there and cannot be read.
func ReadNotes(dir *spool.Dir) (n Notes, err error) {
	file, err := dir.Read(spool.FoldNotesName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size > notesLimit {
		return nil, spool.Defectf(spool.ReasonRead, "it has %d bytes, and at most %d are read", info.Size, notesLimit)
	}
	text := make([]byte, info.Size)
	if _, err := file.ReadAt(text, 0); err != nil && len(text) > 0 {
		return nil, err
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, spool.Defectf(spool.ReasonCorrupt, "it is no notes of a fold: %v", err)
	}
	return n, nil
}

// Write keeps the notes for the next fold.
func (n Notes) Write(dir *spool.Dir) (err error) {
	text, err := json.MarshalIndent(n, "", "\t")
	if err != nil {
		return err
	}
	if len(text) >= notesLimit {
		return spool.Defectf(spool.ReasonRead, "the notes on %d files have %d bytes, and at most %d are read: fold more often, or without a time after which files count as dead", len(n), len(text), notesLimit)
	}
	access, err := dir.Access(nil)
	if err != nil {
		return err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	name := spool.TemporaryName("notes", id)
	file, err := dir.Create(name, access)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(append(text, '\n'), 0)
	if err == nil {
		var over mapped.Identity
		if old, failed := dir.Stat(spool.FoldNotesName); failed == nil {
			over = old.Identity
			if err = old.CheckRegular(); err != nil {
				err = &fs.PathError{Op: "rename", Path: dir.PathOf(spool.FoldNotesName), Err: err}
			}
		}
		if err == nil {
			err = dir.Show(file, spool.FoldNotesName, over)
		}
	}
	if err != nil {
		_ = dir.Remove(name, file.Identity())
	}
	return errors.Join(err, file.Close())
}

// Imprint tells a file and its bytes from others.
type Imprint struct {
	Identity mapped.Identity
	Sum      string
}

// Fingerprint reads the used bytes of one of Python's files.
func Fingerprint(dir *spool.Dir, name spool.Name) (p Imprint, err error) {
	file, err := dir.Read(name)
	if err != nil {
		return p, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return p, err
	}
	if info.Links > 1 {
		return p, spool.Defectf(spool.ReasonLinked, "it has %d names (hard links), so that it is read, but not folded", info.Links)
	}
	buffer := mapped.Aligned(1 << 16)
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
			if used > large && info.Allocated < used {
				return p, spool.Defectf(spool.ReasonSparse, "it says that %d bytes are used, most of which are not there", used)
			}
		}
		chunk = chunk[:min(int64(len(chunk)), used-at)]
		_, _ = sum.Write(chunk) // never fails
		at += int64(len(chunk))
	}
	p.Identity, p.Sum = info.Identity, hex.EncodeToString(sum.Sum(nil))
	return p, nil
}
