module telltale/cmd/telltale

go 1.25.0

require (
	github.com/alecthomas/kong v1.17.0
	golang.org/x/sys v0.47.0
	golang.org/x/text v0.37.0
	telltale v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace telltale => ../..
