package otlp

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
	"telltale/push"
)

// The attributes by which series of one process differ from those of others.
const (
	serviceName     = "service.name"
	serviceInstance = "service.instance.id"
)

const (
	targetInfo         = "target_info"
	resourceAttributes = protowire.Number(1)
)

// resources makes the resource of requests from the target_info of a collection. A
// collection that has not shown its own yet has that of the one before; the first waits
// until it is shown, or to its end.
type resources struct {
	own     map[string]string // by options
	encoded []byte            // the field of a ResourceMetrics, nil before the first
	of      string            // the labels of target_info that it is made of
	settled bool              // the present collection has shown its target_info
}

func newResources() resources { return resources{own: make(map[string]string)} }

// begin begins a collection.
func (r *resources) begin() { r.settled = false }

// end ends a collection: without a target_info the resource is that of the options.
func (r *resources) end() {
	if !r.settled {
		r.set(model.Labels{})
	}
}

// known reports whether requests can have the resource.
func (r *resources) known() bool { return r.encoded != nil }

// field returns the resource as a field of a ResourceMetrics.
func (r *resources) field() []byte { return r.encoded }

// size returns how many bytes the resource has, as far as is known.
func (r *resources) size() int { return len(r.encoded) }

// take makes the resource that of a family, if it is a target_info of one series.
func (r *resources) take(f *model.Family) bool {
	if r.settled || f.SampleName() != targetInfo {
		return false
	}
	n := 0
	var labels model.Labels
	for s := range f.Samples() {
		if s.Name != targetInfo || n > 0 {
			return false
		}
		n, labels = n+1, s.Labels
	}
	if n == 0 {
		return false
	}
	r.set(labels)
	return true
}

// set makes the resource that of labels and the options.
func (r *resources) set(labels model.Labels) {
	r.settled = true
	if r.encoded != nil && labels.Text() == r.of {
		return
	}
	r.of = strings.Clone(labels.Text())
	all := labels.Map()
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	maps.Copy(all, r.own)
	if all[serviceName] == "" {
		all[serviceName] = unknownService()
	}
	if all[serviceInstance] == "" {
		all[serviceInstance] = instance()
	}
	var inner []byte
	for _, name := range slices.Sorted(maps.Keys(all)) {
		inner = appendAttribute(inner, resourceAttributes, name, all[name])
	}
	r.encoded = appendMessage(nil, resourceMetricsResource, inner)
}

// unknownService is the name of a service that has none, as the semantic conventions have
// it.
func unknownService() string {
	const unknown = "unknown_service"
	if path, err := os.Executable(); err == nil {
		return unknown + ":" + valid(filepath.Base(path))
	}
	return unknown
}

// instance returns what is the same for all of the process.
var instance = sync.OnceValue(push.UniqueInstance)
