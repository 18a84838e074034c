package mapped

import "golang.org/x/sys/unix"

// noReserve has memory that is never touched not counted.
const noReserve = unix.MAP_NORESERVE
