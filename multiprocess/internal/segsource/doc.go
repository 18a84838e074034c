// Package segsource reads segments as sources of a catalog: which families and series
// they have, in which rows, and the values of these.
package segsource
