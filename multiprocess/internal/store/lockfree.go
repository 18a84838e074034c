//go:build !mips && !mipsle && (!arm || arm.7)

package store

// lockFree says that 64 bits are loaded, stored and added to by the processor
// itself. Elsewhere Go takes a lock for that, which other processes know nothing
// of.
const lockFree = true
