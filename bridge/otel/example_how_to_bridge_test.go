package otelbridge_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"telltale"
	otelbridge "telltale/bridge/otel"
)

// What libraries count with OpenTelemetry is on telltale's page.
func ExampleNewReader() {
	reg := telltale.NewRegistry() // or telltale.Default
	reader, err := otelbridge.NewReader(reg)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))))

	placed, err := provider.Meter("shop/orders").Int64Counter("orders.placed", metric.WithDescription("Orders placed."), metric.WithUnit("{order}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	placed.Add(context.Background(), 3, metric.WithAttributes(attribute.String("order.country", "de")))

	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page), err)
	// Output:
	// # HELP target_info Target metadata
	// # TYPE target_info gauge
	// target_info{service_name="shop"} 1.0
	// # HELP orders_placed_total Orders placed.
	// # TYPE orders_placed_total counter
	// orders_placed_total{order_country="de",otel_scope_name="shop/orders"} 3.0
	// <nil>
}

// What telltale counts goes where a reader of the SDK exports to. Programs use a
// metric.PeriodicReader with an exporter.
func ExampleNewProducer() {
	reg := telltale.NewRegistry()
	orders := telltale.Must(telltale.NewCounter("orders", "Orders placed.", telltale.In(reg)))
	orders.Add(3)

	reader := sdk.NewManualReader(sdk.WithProducer(otelbridge.NewProducer(reg)))
	provider := sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithResource(otelbridge.Resource(reg)))
	defer func() { _ = provider.Shutdown(context.Background()) }()

	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		fmt.Println(err)
		return
	}
	m := data.ScopeMetrics[0].Metrics[0]
	fmt.Println(m.Name, m.Data.(metricdata.Sum[float64]).DataPoints[0].Value)
	// Output: orders_total 3
}
