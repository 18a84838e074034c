"""A small WSGI service that counts with Python's client. Every worker process
writes into files in the directory that PROMETHEUS_MULTIPROC_DIR names."""
import os

from prometheus_client import Counter, Gauge, Histogram

# Clients may ask for any path, and each value of a label is a series that stays.
PATHS = {"/", "/products", "/orders"}

requests = Counter("shop_requests", "Requests served.", ["path"])
duration = Histogram("shop_request_duration_seconds", "How long they took.")
# One series for each worker, as long as it lives.
Gauge("shop_worker_up", "Workers that serve.", multiprocess_mode="liveall").set(1)


def app(environ, start_response):
    with duration.time():
        path = environ["PATH_INFO"]
        requests.labels(path if path in PATHS else "other").inc()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d\n" % os.getpid()]
