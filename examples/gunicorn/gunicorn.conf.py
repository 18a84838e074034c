"""How gunicorn runs app.py."""
from prometheus_client import multiprocess

workers = 3
graceful_timeout = 5  # seconds


def child_exit(server, worker):
    """A worker has ended, however it did: forget its live gauges."""
    multiprocess.mark_process_dead(worker.pid)
