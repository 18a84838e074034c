package cell

// GaugeModes are the modes by which the gauges of several processes become one, in
// the order of their numbers ([Family]).
var GaugeModes = [...]string{
	"all", "min", "max", "sum", "mostrecent", "liveall", "livemin", "livemax", "livesum", "livemostrecent",
}
