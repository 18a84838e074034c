from prometheus_client import (
    CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest)

registry = CollectorRegistry()
requests = Counter('http_requests', 'Requests served.', ['method'], namespace='shop', registry=registry)
queue = Gauge('queue_jobs', 'Jobs that wait.', registry=registry)
latency = Histogram('latency_seconds', 'Time to answer.', registry=registry)
size = Summary('response_size_bytes', 'Size of answers.', registry=registry)
build = Info('build', 'What runs here.', registry=registry)
state = Enum('task_state', 'What the task does.', states=['starting', 'running'], registry=registry)

requests.labels('GET').inc()
requests.labels(method='POST').inc(2)
queue.set(12)
with queue.track_inprogress():
    latency.observe(0.07)
size.observe(512)
build.info({'version': '1.4.2', 'commit': '4f2a'})
state.state('running')

print(generate_latest(registry).decode(), end='')
