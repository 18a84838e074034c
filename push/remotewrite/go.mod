module telltale/push/remotewrite

go 1.25.0

require (
	github.com/klauspost/compress v1.20.3
	google.golang.org/protobuf v1.36.12
	telltale v0.0.0
)

replace telltale => ../../
