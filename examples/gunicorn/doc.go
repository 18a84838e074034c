// Package gunicorn is a Python service of several worker processes whose metrics
// telltale serves as one page. There is no Go in the service: app.py counts with
// Python's prometheus_client, in multiprocess mode, into files in a directory,
// and "telltale serve" beside it merges them.
//
// On Debian, in this directory:
//
//	apt-get install gunicorn python3-prometheus-client
//	export PROMETHEUS_MULTIPROC_DIR=$(mktemp -d)
//	gunicorn --config gunicorn.conf.py --bind 127.0.0.1:8000 app:app &
//	go run ../../cmd/telltale serve &
//	curl http://127.0.0.1:8000/
//	curl http://127.0.0.1:9464/metrics
//
// A worker that is killed leaves its files behind, so its counts stay, and
// another takes its place with files of its own. The hook in gunicorn.conf.py
// removes its live gauges. The directory should be emptied when the whole
// service is restarted, or its counters go on from their last values.
//
// The test runs all of this under load and kills a worker.
package gunicorn
