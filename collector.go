package telltale

import "telltale/model"

// The interfaces of collectors are defined in package model, so that collectors
// below this package can satisfy them.

// Collector is anything that can say how its metrics stand now: see
// [model.Collector].
type Collector = model.Collector

// Describer is a Collector that can say cheaply which families it will emit: see
// [model.Describer].
type Describer = model.Describer

// Restrictor is a Collector that can leave work undone when only some samples
// are wanted: see [model.Restrictor].
type Restrictor = model.Restrictor
