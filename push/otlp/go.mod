module telltale/push/otlp

go 1.25.0

require (
	github.com/klauspost/compress v1.20.3
	go.opentelemetry.io/proto/otlp v1.11.0
	google.golang.org/protobuf v1.36.12
	telltale v0.0.0
)

replace telltale => ../../
