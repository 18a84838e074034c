package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// page is what both programs print.
const page = `# HELP shop_http_requests_total Requests served.
# TYPE shop_http_requests_total counter
shop_http_requests_total{method="GET"} 1.0
shop_http_requests_total{method="POST"} 2.0
# HELP queue_jobs Jobs that wait.
# TYPE queue_jobs gauge
queue_jobs 12.0
# HELP latency_seconds Time to answer.
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.005"} 0.0
latency_seconds_bucket{le="0.01"} 0.0
latency_seconds_bucket{le="0.025"} 0.0
latency_seconds_bucket{le="0.05"} 0.0
latency_seconds_bucket{le="0.075"} 1.0
latency_seconds_bucket{le="0.1"} 1.0
latency_seconds_bucket{le="0.25"} 1.0
latency_seconds_bucket{le="0.5"} 1.0
latency_seconds_bucket{le="0.75"} 1.0
latency_seconds_bucket{le="1.0"} 1.0
latency_seconds_bucket{le="2.5"} 1.0
latency_seconds_bucket{le="5.0"} 1.0
latency_seconds_bucket{le="7.5"} 1.0
latency_seconds_bucket{le="10.0"} 1.0
latency_seconds_bucket{le="+Inf"} 1.0
latency_seconds_count 1.0
latency_seconds_sum 0.07
# HELP response_size_bytes Size of answers.
# TYPE response_size_bytes summary
response_size_bytes_count 1.0
response_size_bytes_sum 512.0
# HELP build_info What runs here.
# TYPE build_info gauge
build_info{commit="4f2a",version="1.4.2"} 1.0
# HELP task_state What the task does.
# TYPE task_state gauge
task_state{task_state="starting"} 0.0
task_state{task_state="running"} 1.0
`

func TestPage(t *testing.T) {
	var w bytes.Buffer
	if err := write(&w); err != nil || w.String() != page {
		t.Errorf("%v\n%s", err, &w)
	}
}

// The program of Python's client prints the same page, but for the order of an info's
// labels.
func TestPythonPrintsTheSamePage(t *testing.T) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import prometheus_client").Run() != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), python, "app.py")
		cmd.Env = append(cmd.Environ(), "PROMETHEUS_DISABLE_CREATED_SERIES=true")
		got, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(page, `commit="4f2a",version="1.4.2"`, `version="1.4.2",commit="4f2a"`, 1)
		if string(got) != page && string(got) != want {
			t.Errorf("%s app.py prints\n%s", python, got)
		}
		return
	}
	const missing = "Python's client is missing: apt-get install python3-prometheus-client"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip("NOT TESTED: " + missing)
}

// The page about coming from Python shows both programs.
func TestDocsShowThePrograms(t *testing.T) {
	docs, err := os.ReadFile("../../docs/from-python.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, language := range map[string]string{"app.py": "python", "main.go": "go"} {
		program, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(docs, []byte("```"+language+"\n"+string(program)+"```\n")) {
			t.Errorf("docs/from-python.md does not show %s as it is", file)
		}
	}
}
