module telltale/httpmetrics

go 1.25.0

require (
	github.com/felixge/httpsnoop v1.1.0
	telltale v0.0.0
)

require google.golang.org/protobuf v1.36.12 // indirect

replace telltale => ../
