//go:build !unix

package main

import (
	"errors"
	"os/exec"
	"syscall"
)

func reusePort(_, _ string, _ syscall.RawConn) error {
	return errors.New("several processes cannot listen on one port on this system")
}

func setApart(*exec.Cmd) {}
