// Package estate is what dead writers leave: what a file has that outlives its writer
// ([Estate]), and all of it added up, as it is written to an archive ([Remains]).
package estate
