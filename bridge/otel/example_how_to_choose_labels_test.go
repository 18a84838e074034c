package otelbridge_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"telltale"
	otelbridge "telltale/bridge/otel"
)

// Series have one attribute of the resource as a label, the names a namespace, and
// neither target_info nor the labels of scopes are there.
func ExampleWithResourceLabels() {
	reg := telltale.NewRegistry()
	reader, err := otelbridge.NewReader(reg, otelbridge.WithNamespace("shop"), otelbridge.WithoutScope(), otelbridge.WithoutTargetInfo(),
		otelbridge.WithResourceLabels(attribute.NewAllowKeysFilter("service.name")))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdk.NewMeterProvider(sdk.WithReader(reader),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "orders"), attribute.String("host.name", "h1"))))
	placed, err := provider.Meter("shop/orders").Int64Counter("orders.placed", metric.WithDescription("Orders placed."))
	if err != nil {
		fmt.Println(err)
		return
	}
	placed.Add(context.Background(), 3)
	page, err := telltale.GenerateLatest(reg)
	fmt.Print(string(page), err)
	// Output:
	// # HELP shop_orders_placed_total Orders placed.
	// # TYPE shop_orders_placed_total counter
	// shop_orders_placed_total{service_name="orders"} 3.0
	// <nil>
}
