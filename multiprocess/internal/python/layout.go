package python

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"

	"telltale/internal/cell"
	"telltale/multiprocess/internal/spool"
)

// The bytes of a file written by Python's client, as its mmap_dict.py has them,
// in the writing machine's byte order:
//
//	0   int32   used: bytes that count, these included
//	4   4 bytes nothing
//	8   entries, one after the other up to used
//
// and an entry:
//
//	int32    length of the key
//	key      UTF-8 JSON
//	padding  1 to 8 spaces, up to an offset divisible by 8
//	float64  the value
//	float64  when it was set, in Unix seconds, or 0; since client 0.18 only
//
// An entry is written first and used raised afterwards, so what lies before used
// is whole. Entries are never moved or removed.
const (
	headerSize       = 8
	lengthSize       = 4
	valueSize        = 8
	valueAndTimeSize = 16

	leastKey = 2 // bytes; the shortest that can be read is ["m","s",{}]
	// maxKey is how many bytes a key has at most. A file may say that it has more
	// of them than it has bytes on the disk: they are holes then.
	maxKey = 4 << 20
)

// readUsed returns the number in the header, which is one word with what follows it. Data
// begins at a page or a word, and has a header.
func readUsed(data []byte) int {
	var header [headerSize]byte
	binary.NativeEndian.PutUint64(header[:], (*cell.Word)(unsafe.Pointer(unsafe.SliceData(data))).Load())
	return int(int32(binary.NativeEndian.Uint32(header[:])))
}

// checkUsed judges the header's word against the file's size.
func checkUsed(used int, size int64) error {
	switch {
	case size == 0:
		return spool.Defectf(spool.ReasonEmpty, "it has no bytes")
	case size < headerSize:
		return spool.Defectf(spool.ReasonTruncated, "it has %d bytes, less than a header", size)
	case used == 0:
		return spool.Defectf(spool.ReasonEmpty, "nothing was written to it yet")
	case used < headerSize:
		return spool.Defectf(spool.ReasonCorrupt, "it says that %d bytes are used", used)
	case int64(used) > size:
		return spool.Defectf(spool.ReasonTruncated, "it says that %d bytes are used, and has %d", used, size)
	}
	return nil
}

// next returns where the entry at pos has its key's end and its value. The value
// is not checked to lie before used.
func next(data []byte, pos, used int) (keyEnd, value int, err error) {
	if keyEnd, value, ok := entryAt(data, pos, used); ok {
		return keyEnd, value, nil
	}
	if used-pos < lengthSize {
		return 0, 0, spool.Defectf(spool.ReasonCorrupt, "the entry at offset %d has no room before %d", pos, used)
	}
	length := int(int32(binary.NativeEndian.Uint32(data[pos:])))
	if length < leastKey || length > used-pos-lengthSize {
		return 0, 0, spool.Defectf(spool.ReasonCorrupt, "the entry at offset %d has a key of %d bytes, of %d bytes used", pos, length, used)
	}
	return 0, 0, spool.Defectf(spool.ReasonKey, "the entry at offset %d has a key of %d bytes, of at most %d", pos, length, maxKey)
}

// entryAt is next for callers that need no error: ok is false if the entry is not good.
func entryAt(data []byte, pos, used int) (keyEnd, value int, ok bool) {
	if used-pos < lengthSize {
		return 0, 0, false
	}
	length := int(int32(binary.NativeEndian.Uint32(data[pos:])))
	if length < leastKey || length > min(used-pos-lengthSize, maxKey) {
		return 0, 0, false
	}
	keyEnd = pos + lengthSize + length
	return keyEnd, keyEnd/8*8 + 8, true
}

// chains reports whether entries from pos on with values of the given width end exactly at
// used.
func chains(data []byte, pos, used, width int) bool {
	for pos < used {
		_, value, ok := entryAt(data, pos, used)
		if !ok {
			return false
		}
		pos = value + width
	}
	return pos == used
}

// chain returns what is wrong where chains is false.
func chain(data []byte, pos, used, width int) error {
	for pos < used {
		_, value, err := next(data, pos, used)
		if err != nil {
			return err
		}
		if pos = value + width; pos > used {
			return spool.Defectf(spool.ReasonCorrupt, "the last entry ends at %d, beyond %d bytes used", pos, used)
		}
	}
	return nil
}

// layoutOf finds out how wide the values of a file are: 8 bytes, or 16 with the
// time. The file does not say; only one reading can end exactly at used.
//
// Read with 16, an 8-byte file loses step at its second entry, where four
// characters of a key would be a length of at least half a gigabyte; with a
// single entry it ends 8 bytes beyond used. Read with 8, a 16-byte file takes
// each time for a length and the beginning of a key: 0, the usual one, is no
// length, and a time set by a clock is none that fits. Only a forged file has both
// chains. Then the keys decide: in one reading a key has to contain a length,
// whose zero bytes are not JSON. That leaves files of half a gigabyte, which are
// refused rather than guessed at.
func layoutOf(data []byte, used int) (width int, err error) {
	narrow := chains(data, headerSize, used, valueSize)
	wide := chains(data, headerSize, used, valueAndTimeSize)
	if narrow && wide {
		if !keysAreGood(data, used, valueSize) {
			return valueAndTimeSize, nil
		}
		if !keysAreGood(data, used, valueAndTimeSize) {
			return valueSize, nil
		}
		return 0, spool.Defectf(spool.ReasonAmbiguous, "its %d bytes are entries with 8-byte and with 16-byte values alike", used)
	}
	switch {
	case narrow:
		return valueSize, nil
	case wide:
		return valueAndTimeSize, nil
	}
	if err = chain(data, headerSize, used, valueSize); err == nil {
		err = spool.Defectf(spool.ReasonCorrupt, "its entries changed while they were read")
	}
	return 0, err
}

// keysAreGood reports whether all keys can be read, given a good chain.
func keysAreGood(data []byte, used, width int) bool {
	for pos := headerSize; pos < used; {
		end, value, err := next(data, pos, used)
		if err != nil {
			return false
		}
		if _, err := parseKey(string(data[pos+lengthSize:end]), nil); err != nil {
			return false
		}
		pos = value + width
	}
	return true
}

func checkUTF8(s string) error {
	if !utf8.ValidString(s) {
		return spool.Defectf(spool.ReasonKey, "the key %.80q is not UTF-8", s)
	}
	return nil
}
