// Package store keeps the cells of one process's instruments in a segment of a
// directory: in a file that other processes read, and on the heap what does not fit.
package store
