package kubernetes

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	operator "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy/kubernetes"

// read decodes a manifest; a field that its type does not have is an error.
func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func matches(t *testing.T, s *meta.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := meta.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return !selector.Empty() && selector.Matches(labels.Set(set))
}

// The deployment's containers share a directory in memory, which a native sidecar
// serves, and the monitor scrapes that.
func TestManifests(t *testing.T) {
	var d apps.Deployment
	read(t, "shop.yaml", &d)
	var m operator.PodMonitor
	read(t, "podmonitor.yaml", &m)
	if got, want := d.TypeMeta, (meta.TypeMeta{APIVersion: apps.SchemeGroupVersion.String(), Kind: "Deployment"}); got != want {
		t.Errorf("the deployment is %v, want %v", got, want)
	}
	if got, want := m.TypeMeta, (meta.TypeMeta{APIVersion: operator.SchemeGroupVersion.String(), Kind: operator.PodMonitorsKind}); got != want {
		t.Errorf("the monitor is %v, want %v", got, want)
	}
	pod := d.Spec.Template
	if !matches(t, d.Spec.Selector, pod.Labels) || !matches(t, &m.Spec.Selector, pod.Labels) {
		t.Errorf("a selector does not match the pod's labels %v", pod.Labels)
	}
	if len(pod.Spec.InitContainers) != 1 || len(pod.Spec.Volumes) != 1 {
		t.Fatalf("%d init containers and %d volumes", len(pod.Spec.InitContainers), len(pod.Spec.Volumes))
	}
	sidecar, volume := &pod.Spec.InitContainers[0], &pod.Spec.Volumes[0]
	if sidecar.RestartPolicy == nil || *sidecar.RestartPolicy != core.ContainerRestartPolicyAlways {
		t.Error("the init container is no sidecar")
	}
	if e := volume.EmptyDir; e == nil || e.Medium != core.StorageMediumMemory || e.SizeLimit == nil || e.SizeLimit.Sign() <= 0 {
		t.Errorf("the volume is %v, want memory with a limit", volume)
	}
	var directory string
	for _, c := range append(slices.Clone(pod.Spec.InitContainers), pod.Spec.Containers...) {
		if len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != volume.Name || directory != "" && c.VolumeMounts[0].MountPath != directory {
			t.Fatalf("container %s mounts %v", c.Name, c.VolumeMounts)
		}
		directory = c.VolumeMounts[0].MountPath
		if c.SecurityContext == nil || c.SecurityContext.RunAsUser != nil {
			t.Errorf("container %s has a user of its own, or no context", c.Name)
		}
		if _, limited := c.Resources.Limits[core.ResourceMemory]; !limited {
			t.Errorf("container %s has no limit of memory", c.Name)
		}
	}
	if !slices.Contains(sidecar.Args, "--dir="+directory) {
		t.Errorf("the sidecar serves %v, want %s", sidecar.Args, directory)
	}
	if s := pod.Spec.SecurityContext; s == nil || s.RunAsUser == nil || s.FSGroup == nil {
		t.Error("the containers have no user in common")
	}
	for _, e := range m.Spec.PodMetricsEndpoints {
		if e.Port == nil || !slices.ContainsFunc(sidecar.Ports, func(p core.ContainerPort) bool { return p.Name == *e.Port }) {
			t.Errorf("the sidecar has no port of the endpoint %v", e)
		}
	}
	for _, p := range []*core.Probe{sidecar.StartupProbe, sidecar.LivenessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != "/-/healthy" || p.HTTPGet.Port.StrVal != sidecar.Ports[0].Name {
			t.Errorf("the probe is %v", p)
		}
	}
	known := []operator.ScrapeProtocol{operator.PrometheusProto, operator.OpenMetricsText1_0_0, operator.OpenMetricsText0_0_1, operator.PrometheusText0_0_4, operator.PrometheusText1_0_0}
	if len(m.Spec.PodMetricsEndpoints) != 1 || len(m.Spec.ScrapeProtocols) == 0 {
		t.Errorf("the monitor has %d endpoints and %d protocols", len(m.Spec.PodMetricsEndpoints), len(m.Spec.ScrapeProtocols))
	}
	for _, p := range m.Spec.ScrapeProtocols {
		if !slices.Contains(known, p) {
			t.Errorf("the protocol %s is none", p)
		}
	}
}

// Decoding is strict: a field that is not known is an error.
func TestStrictDecoding(t *testing.T) {
	for name, text := range map[string]string{
		"unknown": "spec: {template: {spec: {initContainers: [{restartPolice: Always}]}}}",
		"twice":   "metadata: {name: a, name: b}",
		"a list":  "spec: {template: {spec: {volumes: {name: a}}}}",
	} {
		var d apps.Deployment
		if yaml.UnmarshalStrict([]byte(text), &d) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
