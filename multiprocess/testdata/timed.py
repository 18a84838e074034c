"""Debian's client writes 8-byte values. With TIMED=1 this makes it write, read
and merge values with times, as clients since 0.18 do, in as few lines as tell
how. A client that knows times already is left as it is."""
import os
import struct

from prometheus_client import Gauge, mmap_dict, multiprocess
from prometheus_client.metrics_core import Metric

now = 0.0
TIMED = os.environ.get("TIMED") == "1"
NATIVE = hasattr(mmap_dict, "_pack_two_doubles")
MODES = ["all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum"]
if TIMED:
    MODES += ["mostrecent", "livemostrecent"]

if NATIVE:
    from prometheus_client import metrics
    metrics.time = type("Time", (), {"time": staticmethod(lambda: now)})

if TIMED and not NATIVE:
    Gauge._MULTIPROC_MODES = frozenset(MODES)

    def _init_value(self, key):
        encoded = key.encode("utf-8")
        padded = encoded + b" " * (8 - (len(encoded) + 4) % 8)
        value = struct.pack(f"i{len(padded)}sdd".encode(), len(encoded), padded, 0.0, 0.0)
        while self._used + len(value) > self._capacity:
            self._capacity *= 2
            self._f.truncate(self._capacity)
            self._m = mmap_dict.mmap.mmap(self._f.fileno(), self._capacity)
        self._m[self._used:self._used + len(value)] = value
        self._used += len(value)
        self._m[0:4] = struct.pack("i", self._used)
        self._positions[key] = self._used - 16

    def write_value(self, key, value):
        if key not in self._positions:
            self._init_value(key)
        when = now if "mostrecent" in self._fname else 0.0
        self._m[self._positions[key]:self._positions[key] + 16] = struct.pack("dd", value, when)

    def _read_all_values(data, used=0):
        pos, used = 8, used or struct.unpack_from("i", data, 0)[0]
        while pos < used:
            length = struct.unpack_from("i", data, pos)[0]
            key = data[pos + 4:pos + 4 + length].decode("utf-8")
            pos += 4 + length + (8 - (length + 4) % 8)
            value, when = struct.unpack_from("dd", data, pos)
            yield key, value, when
            pos += 16

    mmap_dict.MmapedDict._init_value = _init_value
    mmap_dict.MmapedDict.write_value = write_value
    mmap_dict._read_all_values = _read_all_values

    read_metrics = multiprocess.MultiProcessCollector._read_metrics

    def _read_metrics(files):
        recent = [f for f in files if "mostrecent" in os.path.basename(f)]
        merged = read_metrics([f for f in files if f not in recent])
        newest = {}
        for f in recent:
            for key, value, when in mmap_dict.MmapedDict.read_all_values_from_file(f):
                name, sample, labels, doc = multiprocess.json.loads(key)
                if name not in merged:
                    merged[name] = Metric(name, doc, "gauge")
                    merged[name]._multiprocess_mode = "all"
                series = (sample, tuple(sorted(labels.items())))
                if newest.get((name, series), (0.0, 0))[0] < when:
                    newest[name, series] = (when, value)
        for (name, (sample, labels)), (_, value) in newest.items():
            merged[name].add_sample(sample, labels, value)
        return merged

    multiprocess.MultiProcessCollector._read_metrics = staticmethod(_read_metrics)
