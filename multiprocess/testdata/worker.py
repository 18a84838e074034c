"""One worker of a service: writes every kind of metric into the directory that
PROMETHEUS_MULTIPROC_DIR names. Run as: worker.py INDEX."""
import sys

import timed
from prometheus_client import Counter, Gauge, Histogram, Summary

index = int(sys.argv[1])
timed.now = 1.7e9 + (index * 7) % 5

requests = Counter("requests", "Requests served.", ["method", "code"], namespace="app")
requests.labels("GET", "200").inc(10 + index)
requests.labels("GET", "500").inc(0.5)
if index % 2:
    requests.labels('POST "x"\n\\', "2\u00e9\u4e2d").inc()
Counter("idle", "Never incremented.")

for mode in timed.MODES:
    gauge = Gauge("level_" + mode, "A gauge of mode " + mode + ".", ["zone"], multiprocess_mode=mode)
    gauge.labels("north").set([3.5, -2, 7.25, 0.125][index % 4])
    gauge.labels("south").inc(index) if "mostrecent" not in mode else gauge.labels("south").set(index)
    Gauge("unset_" + mode, "Never set.", multiprocess_mode=mode)
    if index == 2:
        gauge.labels("west").set(float("inf"))

latency = Histogram("latency_seconds", "How long it took.", ["route"], buckets=(0.005, 0.25, 1, 10, 1000000))
for i in range(index + 3):
    # Sums of these are exact: the client rounds others by the order of the process IDs.
    latency.labels("/").observe(0.125 * i)
    latency.labels("/items").observe(8.0 ** (i - 2))
Histogram("unseen_seconds", "Never observed.")
Histogram("shift", "Below zero too.", buckets=(-1, 0, 1)).observe(-3)

size = Summary("size_bytes", "How large it was.")
size.observe(100 * index)
