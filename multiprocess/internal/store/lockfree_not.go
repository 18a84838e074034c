//go:build mips || mipsle || (arm && !arm.7)

package store

const lockFree = false
