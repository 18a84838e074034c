// Package fold makes one archive of what dead writers left in a directory, so that it
// can be killed at any step and readers that run meanwhile count everything once.
package fold
