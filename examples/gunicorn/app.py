"""A small WSGI service that counts with Python's client. Every worker process
writes into files in the directory that PROMETHEUS_MULTIPROC_DIR names."""
import os

from prometheus_client import Counter, Gauge, Histogram

requests = Counter("shop_requests", "Requests served.", ["path"])
duration = Histogram("shop_request_duration_seconds", "How long they took.")
# One series for each worker, as long as it lives.
Gauge("shop_worker_up", "Workers that serve.", multiprocess_mode="liveall").set(1)


def app(environ, start_response):
    with duration.time():
        requests.labels(environ["PATH_INFO"]).inc()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d\n" % os.getpid()]
