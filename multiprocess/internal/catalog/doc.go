// Package catalog is what the files of many writers define together: families, series,
// and the slots in which their values are added up. It knows no file format and no
// directory.
//
// Each file is a [Source]. It makes claims of families and puts its series into the
// [Catalog], which settles what counts where files disagree and gives each series its
// slots; at each reading it adds its values to [Totals], by slot. A family is shown as
// a [View] over totals.
package catalog
