// Package unfit lists what a bridge to another metrics library could not take over
// in one collection, as one error of bounded length.
package unfit
