"""Prints what the client itself merges from the files of a directory, in the
order of their names, as JSON. Run as: merge.py DIR ACCUMULATE(0|1)."""
import glob
import json
import os
import sys

import timed
from prometheus_client.multiprocess import MultiProcessCollector

files = sorted(glob.glob(os.path.join(sys.argv[1], "*.db")))
families = MultiProcessCollector.merge(files, accumulate=sys.argv[2] == "1")
json.dump([{
    "name": f.name, "type": f.type, "help": f.documentation,
    "samples": [{"name": s.name, "labels": s.labels, "value": repr(float(s.value))} for s in f.samples],
} for f in families], sys.stdout)
