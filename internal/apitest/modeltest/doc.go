// Package modeltest runs random scripts of operations on package telltale, and
// compares every answer and every page of the library with a model: a plain
// implementation of the documentation, in one goroutine, with slices for series
// and no shortcuts.
//
// A script has one operation on each line. Operations that happen within
// another, as in the function given to Replace, are indented below it:
//
//	registry R0
//	make F0 counter R0 c1 labels=1
//	up F0 x add=2
//	replace F0
//		up next y inc
//	scrape R0
//
// TestModel makes scripts from seeds. It shortens a failing script, by leaving
// out operations and simplifying their arguments as long as it fails, and prints
// it; pasted into a file in testdata/scripts it becomes a test (TestScripts).
// TestModelConcurrently runs the operations of several scripts at once, each on
// series or families of its own or adding to common ones, while scrapes look for
// series that are repeated, missing or decreasing. With each script it runs a contest,
// in which goroutines update, set, replace and remove the same fresh series together.
//
//	go test ./internal/apitest/modeltest -run TestModel -model.for 10m
//	go test ./internal/apitest/modeltest -run TestModel -model.seed 17
package modeltest
