//go:build !linux

package multiprocess_test

const seesMappings = false
