//go:build unix && !linux

package mapped

// noReserve has no meaning on this system.
const noReserve = 0
