"""Reads exposition pages with Debian's prometheus_client and prints what it found.

One JSON object a line comes in: {"openmetrics": bool, "page": str}. One goes
out: {"families": [...]} or {"error": str}. Numbers are strings, since JSON has
no NaN; timestamps are whole nanoseconds.
"""
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Timestamp


def nanoseconds(timestamp, parts):
    if timestamp is None:
        return None
    if isinstance(timestamp, Timestamp):
        return str(timestamp.sec * 10**9 + timestamp.nsec)
    # The text parser divides the milliseconds on the page by 1000. That of
    # OpenMetrics returns a float for a timestamp with an exponent.
    return str(round(timestamp * parts) * (10**9 // parts))


def exemplar(found, parts):
    if found is None:
        return None
    return {
        "labels": found.labels,
        "value": repr(float(found.value)),
        "at": nanoseconds(found.timestamp, parts),
    }


def family(metric, parts):
    return {
        "name": metric.name,
        "type": metric.type,
        "help": metric.documentation,
        "unit": metric.unit,
        "samples": [
            {
                "name": s.name,
                "labels": s.labels,
                "value": repr(float(s.value)),
                "at": nanoseconds(s.timestamp, parts),
                "exemplar": exemplar(s.exemplar, parts),
            }
            for s in metric.samples
        ],
    }


def main():
    for line in sys.stdin:
        request = json.loads(line)
        read, parts = (read_openmetrics, 10**9) if request["openmetrics"] else (read_text, 1000)
        try:
            answer = {"families": [family(metric, parts) for metric in read(request["page"])]}
        except Exception as e:  # whatever it raises is its verdict on the page
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


main()
