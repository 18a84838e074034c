# What CONTRIBUTING.md explains. `make check` is what to run before a commit.
FUZZTIME ?= 20s
GOLANGCI ?= v2.15.0
# The packages of all modules that go.work joins.
PACKAGES = $$(go list -m -f '{{.Dir}}/...')

.PHONY: check test race lint fuzz fuzz-targets bench e2e page pictures cross test-386 test-s390x golden models vulnerabilities release release-twice recording

check: lint test race

test:
	go test work

race:
	go test -race -timeout 20m work

lint:
	gofmt -l . | (! grep .)
	go vet work
	cd benchmarks && GOWORK=off go vet ./...
	cd e2e && GOWORK=off go vet ./...
	cd e2e/collector && GOWORK=off go vet ./...
	golangci-lint run $(PACKAGES)

# Every fuzz target of the tree for FUZZTIME each: a duration, or a number of
# inputs such as 2000x. CI counts inputs, because `go test` may call the end of a
# duration a failure ("context deadline exceeded", with no input to blame).
fuzz:
	.ci/fuzz $(FUZZTIME) -fuzz=Fuzz

# The fuzz targets of the tree, each with its package, as the files of tests declare them.
fuzz-targets:
	@go list -f '{{$$p := .}}{{range .TestGoFiles}}{{$$p.ImportPath}} {{$$p.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$p.ImportPath}} {{$$p.Dir}}/{{.}}{{"\n"}}{{end}}' work | \
	awk 'NF {while ((getline line < $$2) > 0) if (match(line, /^func Fuzz[A-Za-z0-9_]*\(/)) print $$1, substr(line, 6, RLENGTH - 6); close($$2)}'

bench:
	cd benchmarks && GOWORK=off go run . $(ARGS)

e2e:
	cd e2e && GOWORK=off go test -count=1 -timeout 20m ./...
	cd e2e/collector && GOWORK=off go test -count=1 -timeout 20m ./...

# The page of package live in a browser (Debian: chromium; Node.js and npm): types, numbers,
# keyboard, colours, and what axe-core finds. Screenshots are in e2e/page/screenshots.
page:
	cd e2e/page && npm ci --no-audit --no-fund && npm test

# The pictures of docs/live.md.
pictures:
	cd e2e/page && npm ci --no-audit --no-fund && npm run pictures

# Without modules whose dependencies (a database, gRPC, OpenTelemetry, client_golang) take
# minutes to compile for each target. They have no files of one system.
CROSS ?= darwin/arm64 darwin/amd64 windows/amd64 linux/arm64 linux/386 linux/arm freebsd/amd64
cross:
	for target in $(CROSS); do \
		echo $$target; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 go vet $$(go list -m -f '{{.Dir}}/...' | grep -vE '/(examples/service|bridge/[a-z]+|grpcmetrics)/') || exit 1; \
	done

# The protocols between processes, searched in all orders (docs/models).
models:
	docs/models/run

# Tests where integers and pointers have 32 bits, and where the byte order is the
# other one, by an emulator (Debian: qemu-user-static). Under that a test cannot run
# itself as another process, as those of killed writers do, and the address of a page
# that a file has lost is not told right.
OTHER_TESTS ?= -short
OTHER_386 = . ./model/... ./internal/... ./exposition/... ./multiprocess/...
OTHER_S390X ?= ./model ./internal/apitest/modeltest ./internal/cell ./internal/exact ./internal/exponential ./internal/hash ./internal/scan ./internal/series \
	./exposition/json ./exposition/openmetrics ./exposition/openmetrics2 ./exposition/protobuf ./exposition/text ./multiprocess/internal/segment ./multiprocess/internal/spool

# A processor or kernel that executes no 32-bit programs can only compile them; Go's
# runtime does not work under the emulator of 386.
test-386:
	if GOARCH=386 go test -run '^$$' ./internal/exact >/dev/null 2>&1; then \
		GOARCH=386 go test $(OTHER_TESTS) $(OTHER_386); \
	else \
		echo "NOT TESTED: this machine executes no 32-bit programs; they are compiled alone"; \
		GOARCH=386 go vet $(OTHER_386); \
	fi

test-s390x:
	GOARCH=s390x go test $(OTHER_TESTS) -exec qemu-s390x-static -skip 'Killed|Truncat' $(OTHER_S390X)

# Known vulnerabilities in what is called, of all modules that go.work joins. It asks
# https://vuln.go.dev.
GOVULNCHECK ?= golang.org/x/vuln/cmd/govulncheck@v1.9.0
vulnerabilities:
	@go run $(GOVULNCHECK) $(PACKAGES) || { echo "NOT CLEAN: there are vulnerabilities, or they could not be looked for (above)" >&2; exit 1; }

# The archive of the commit, its parts (SBOM) and their hashes, in dist: make release VERSION=v0.1.0
DIST ?= dist
release:
	.ci/release "$(VERSION)" "$(DIST)"

# Two runs give equal bytes.
release-twice:
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	.ci/release v0.0.0 "$$dir/first" >/dev/null && .ci/release v0.0.0 "$$dir/second" >/dev/null && \
	diff -r "$$dir/first" "$$dir/second"

# README's moving picture, from a real run in a terminal (Debian: apt-get install tmux).
recording:
	go run ./examples/internal/picture docs/kill.svg

golden:
	go test ./api -update
	go test ./exposition/... -update
	go test ./multiprocess/internal/segment -run Small -update
	go test ./multiprocess -run Scenarios -update
	cd push/remotewrite && go test . -update
	cd push/otlp && go test . -update
	cd cmd/telltale && go test . -update # docs/command.md, too
