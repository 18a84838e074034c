"""What the benchmark has Python's client do, in a process of its own.

    about              print the versions, and the size of a value in its files
    merge DIR          print a line, then merge DIR at each line of input, print
                       the samples and by how many bytes the process has grown
    write KIND         count in a series for each line of input, which has the
                       values of its labels, in PROMETHEUS_MULTIPROC_DIR
"""

import platform
import resource
import sys


def about():
    from importlib import metadata
    from prometheus_client import mmap_dict
    version = metadata.version('prometheus_client')
    print(platform.python_version(), 16 if hasattr(mmap_dict, '_pack_two_doubles') else 8, version)


def merge(directory):
    from prometheus_client.multiprocess import MultiProcessCollector
    collector = MultiProcessCollector(None, directory)
    before = peak()
    print('ready', flush=True)
    for _ in sys.stdin:
        samples = sum(len(metric.samples) for metric in collector.collect())
        print(samples, peak() - before, flush=True)


def peak():
    """The most bytes that were resident at a time."""
    try:
        with open('/proc/self/status') as status:  # getrusage counts what came before exec
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmHWM:'))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == 'darwin' else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def write(kind):
    from prometheus_client import CollectorRegistry, Counter, Histogram
    names, *rows = [line.split() for line in sys.stdin]
    name, *labels = names
    if kind == 'counter':
        counter = Counter(name, 'Help.', labels, registry=CollectorRegistry())
        for values in rows:
            counter.labels(*values).inc()
    else:
        bounds = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10]
        histogram = Histogram(name, 'Help.', labels, buckets=bounds, registry=CollectorRegistry())
        for values in rows:
            histogram.labels(*values).observe(0.3)


{'about': about, 'merge': merge, 'write': write}[sys.argv[1]](*sys.argv[2:])
