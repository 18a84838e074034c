module telltale

go 1.25.0

require (
	github.com/klauspost/compress v1.20.3
	github.com/prometheus/procfs v0.22.0
	golang.org/x/sys v0.47.0
	google.golang.org/protobuf v1.36.12
)
