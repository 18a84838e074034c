package cell

// GaugeModes are the modes by which gauges of several processes are merged, in
// the order of their numbers ([Family]).
var GaugeModes = [...]string{
	"all", "min", "max", "sum", "mostrecent", "liveall", "livemin", "livemax", "livesum", "livemostrecent",
}
