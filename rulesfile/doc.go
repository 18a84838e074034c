// Package rulesfile reads the rules of package rules from a file in YAML, and rereads
// them when the file changes.
//
// The file has the list that Prometheus has under metric_relabel_configs, with the same
// fields, defaults and anchored RE2:
//
//	metric_relabel_configs:
//	  - source_labels: [__name__]
//	    regex: go_gc_.*
//	    action: drop
//	  - regex: pod_.*
//	    action: labeldrop
//	  - action: rename # not in Prometheus
//	    regex: http_requests_total
//	    replacement: shop_requests_total
//	    keep_old: true
//
// A file with anything else in it is refused as a whole, so that a misspelt field
// changes nothing: errors name its line.
package rulesfile
