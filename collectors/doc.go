// Package collectors has ready-made collectors: of the Go runtime, of the
// operating system's view of a process, of the build and of the platform.
// [Register] adds these four and the registry's own health to a registry in one
// call; nothing is registered by importing the package. Others are registered one
// by one: the program's version ([NewVersion]), connection pools of database/sql
// ([NewSQL]) and variables of expvar ([NewExpvar]). [NewLogCounter] counts the
// records of log/slog by level.
//
// # Names
//
// Families have the names of Prometheus' client_golang if they mean the same, so
// that dashboards and alerts keep working. If OpenMetrics has a better type it
// is used: go_info, go_build_info and go_platform_info are infos (families go,
// go_build and go_platform), which the older text format prints as gauges. Units
// (bytes, seconds) are in the names and in the metadata.
//
// One name is left out. client_golang has a gauge go_memstats_alloc_bytes and a
// counter go_memstats_alloc_bytes_total, which in OpenMetrics are one family
// with two types. The counter stays, since no other family has its value; the
// gauge always equals go_memstats_heap_alloc_bytes, which stays too. Queries for
// go_memstats_alloc_bytes can read that instead, or [WithAllocBytes] shows it.
//
// # Work
//
// Each collector describes its families cheaply ([telltale.Describer]), and
// views of some names ([telltale.Restrictor]) do only the work for those names:
// a scrape of go_memstats_sys_bytes reads one metric of the runtime, a scrape of
// process_open_fds does not parse /proc/PID/stat. All collectors may be
// collected from several goroutines at once, hold no lock while they emit, and
// never stop the world.
package collectors
