//go:build !race

package telltale_test

const raceEnabled = false
