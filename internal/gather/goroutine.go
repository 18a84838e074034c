package gather

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"strconv"
)

// The runtime shows the number of a goroutine only in stack traces. It is used
// for nothing but to detect that a collector waits for itself, and only when
// custom collectors run.

// GoroutineID returns the number of the calling goroutine, or 0 if it is not
// known.
func GoroutineID() uint64 {
	var header [64]byte
	return numberBehind(header[:runtime.Stack(header[:], false)], "goroutine ")
}

// goroutineAndCreator returns the number of the calling goroutine, and of the one
// that started it.
func goroutineAndCreator() [2]uint64 {
	stack := debug.Stack()
	own := numberBehind(stack, "goroutine ")
	const creator = " in goroutine " // "created by main.f in goroutine 7", on the last line but one
	i := bytes.LastIndex(stack, []byte(creator))
	if i < 0 {
		return [2]uint64{own, own}
	}
	return [2]uint64{own, numberBehind(stack[i:], creator)}
}

// numberBehind returns the number in text that follows the prefix, or 0 if there
// is none.
func numberBehind(text []byte, prefix string) uint64 {
	rest, ok := bytes.CutPrefix(text, []byte(prefix))
	if !ok {
		return 0
	}
	end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.ParseUint(string(rest[:end]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
