# Everything a contributor or CI runs. Bare `make` lists the targets.

# The published modules, and interop/, which keeps heavy test dependencies out of them.
MODULES := $(patsubst %/go.mod,%,$(wildcard ./go.mod provider/agents/go.mod interop/go.mod))

# The race detector needs a C compiler; without one the tests run all the same, and say so.
RACE = $(if $(shell command -v $$(go env CC) 2>/dev/null),-race)

.DEFAULT_GOAL := help
.PHONY: help demo test lint vuln bench soak fuzz links package api release-dry-run clean tools engines

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a PDF and a DOCX converted, searched, reranked and answered on this machine, without a key
	@go run ./examples/rag

# Go's test cache does not see a change of the engines, hence -count=1. Threads of llama.cpp that wait
# for each other would keep the cores busy while other tests want them: passive, a model answers three
# times as fast beside them.
test: lint engines ## vet, lint, and every test with the race detector and the real engines
	@$(if $(RACE),,echo "test: no C compiler ($$(go env CC)) found, so the race detector is off")
	@set -e; for m in $(MODULES); do \
		(set -x; OMP_WAIT_POLICY=passive BABYAPI_TEST_ENGINES=1 go -C $$m test $(RACE) -count=1 -timeout 30m ./...); \
	done

# "importas" is the name of a linter.
lint: tools ## the linters of .golangci.yml, go vet and gofmt among them, in every module; spelling and width of prose
	@tools/prose.sh
	@git ls-files -co --exclude-standard -z | xargs -0 bin/misspell -error -i importas
	@set -e; for m in $(MODULES); do \
		echo "lint $$m"; \
		(cd $$m && "$(CURDIR)/bin/golangci-lint" run ./...); \
	done

vuln: tools ## known vulnerabilities in what we call (skipped, and said so, without the database)
	@VULN=$(VULN) tools/vuln.sh $(MODULES)

bench: ## babyclient beside other clients in one run; the tables go into BENCHMARKS.md
	@go -C interop run ./bench -keep

soak: ## the client and the MCP server under load, faults and cancels for SOAK (10m): nothing lost, doubled or leaked
	go test $(RACE) -count=1 -timeout 0 -v ./internal/soak -soak $(or $(SOAK),10m)

fuzz: ## each fuzz test for FUZZTIME (60s)
	@RACE=$(RACE) FUZZTIME=$(FUZZTIME) tools/fuzz.sh $(MODULES)

# A release zips what GoReleaser has built. This needs no GoReleaser: it builds into the same layout.
package: ## the MCP bundle and server.json of a release, in dist
	@rm -rf .cache/programs
	@set -e; version=$$(sed -n 's/^const Version = "\(.*\)"/\1/p' babyclient/*.go); \
	for p in darwin_amd64 darwin_arm64 linux_amd64 linux_arm64 windows_amd64; do \
		echo "build babyapi-mcp for $$p"; \
		CGO_ENABLED=0 GOOS=$${p%_*} GOARCH=$${p#*_} go build -trimpath -ldflags "-s -w -X main.release=v$$version" \
			-o .cache/programs/babyapi-mcp_$$p/ ./cmd/babyapi-mcp; \
	done
	@go run ./packaging -programs .cache/programs

api: tools ## how what the packages export differs from BASE (a commit; default: the newest tag)
	@tools/apidiff.sh $(BASE)

# GoReleaser has hundreds of dependencies, hence a module of its own, built for this target alone.
release-dry-run: ## everything that a release publishes, in dist, with sizes; nothing is published
	@test -x bin/goreleaser || echo "building GoReleaser, once (about four minutes on two cores)"
	@CGO_ENABLED=0 go -C tools/release build -o ../../bin/ tool
	@command -v syft >/dev/null || echo "release-dry-run: no syft found, so the SBOMs are left out (the release workflow has it)"
	bin/goreleaser release --snapshot --clean $(if $(shell command -v syft),,--skip=sbom)
	@cp .cache/release/* dist/
	@find dist -maxdepth 1 -type f \( -name '*.tar.gz' -o -name '*.zip' -o -name '*.mcpb' -o -name '*.cdx.json' -o -name server.json -o -name checksums.txt \) -exec ls -lS {} + | awk '{printf "%11d bytes  %s\n", $$5, $$9}'

links: ## the web addresses in the pages (skipped, and said so, where none can be reached)
	@LINKS=$(LINKS) tools/links.sh

clean: ## remove what was built in this folder; the engines stay in the user's cache
	rm -rf bin dist .cache

# The linters' versions are pinned in tools/go.mod. Go rebuilds them only when that file or the
# toolchain changes, so asking again costs half a second.
tools:
	@test -x bin/golangci-lint || echo "building the linters, once (up to two minutes on two cores)"
	@CGO_ENABLED=0 go -C tools build -o ../bin/ tool

engines:
	@go run ./cmd/babyapi-local setup
