//go:build mips || mipsle || (arm && !arm.7)

package multiprocess

const lockFree = false
