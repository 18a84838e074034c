//go:build !linux

package multiprocess_test

func roomy(string) bool { return false }
