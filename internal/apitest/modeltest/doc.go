// Package modeltest runs random scripts of what a program may do with the package
// telltale, and compares all that the library answers and every page that it gives
// with a model: a plain implementation of what the documentation promises, in one
// goroutine, with slices for series and no shortcuts.
//
// A script has one operation a line, and operations that happen within another, as
// in the function given to Replace, indented below it:
//
//	registry R0
//	make F0 counter R0 c1 labels=1
//	up F0 x add=2
//	replace F0
//		up next y inc
//	scrape R0
//
// TestModel makes scripts from seeds. It shortens one that fails, by leaving out
// operations and simplifying their arguments as long as it fails, and prints it;
// pasted into testdata/scripts as a file it is a test for ever (TestScripts).
// TestModelConcurrently runs the operations of several scripts at once, each on
// series or families of its own or adding to common ones, while scrapes look for
// series that are there twice, are missing, or fall.
//
//	go test ./internal/apitest/modeltest -run TestModel -model.for 10m
//	go test ./internal/apitest/modeltest -run TestModel -model.seed 17
package modeltest
