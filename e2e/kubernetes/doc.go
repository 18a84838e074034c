// Package kubernetes checks the manifests in deploy/kubernetes with the types of
// Kubernetes and of the Prometheus operator.
package kubernetes
