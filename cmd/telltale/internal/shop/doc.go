// Package shop is what telltale demo runs: a small web shop with a few routes, a
// queue of orders that workers pack, and customers who visit it over HTTP. It
// uses every kind of instrument the way a service would.
package shop
