//go:build !unix

package multiprocess_test

import "testing"

func restrictChild(t *testing.T) {
	t.Helper()
	t.Fatal("children cannot be restricted on this system")
}

func standStill(t *testing.T) { t.Fatal("this system stops no process") }
