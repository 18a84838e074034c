// Package thirdparty moves a program whose metrics come from other people's packages
// from client_golang to telltale by bridge/clientgolang, and compares its pages before
// and after sample by sample.
//
// The program is a gRPC service with a pool of Postgres connections (service_test.go).
// Its packages register metrics in the ways that there are: by import with the default
// registry (go-grpc-prometheus), by themselves with a registerer that they are given
// (hashicorp/go-metrics), or as a collector that the program registers
// (go-grpc-middleware's provider, pgxpoolprometheus, client_golang's own of
// database/sql).
package thirdparty
