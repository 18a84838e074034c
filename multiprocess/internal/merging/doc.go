// Package merging merges the files of a directory, or files that are given by hand: it
// lists them, keeps them from one collection to the next, and reads again when a fold
// has come between.
package merging
