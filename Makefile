# The two commands that matter: `make run` and `make test`. Everything else is listed by `make`.

export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

MOCHA := node --disable-warning=ExperimentalWarning node_modules/mocha/bin/mocha.js
# As many open files as the machine allows: tests of many connections need them, Debian starts a shell with 1,024.
MORE_FILES := ulimit -n "$$(ulimit -H -n)" 2>/dev/null || true
FRESH := node_modules/.cache/gen
PAGE := cmd/web/dist/index.html

.DEFAULT_GOAL := help
.PHONY: help run mesh mesh-down mesh-status test sim bench check fix gen contract stubs unused page package install

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Ctrl-C reaches make, this shell and Heddle together; SIGTERM reaches make, which hands it to this shell alone.
# So the shell must outlive Heddle's drain (the empty trap, the loop), pass SIGTERM on, and report a stop by signal
# (130, 143) as success, or make prints an error; a second Ctrl-C stops all at once. Any other exit code is a failure:
# make prints its own line below Heddle's message and exits with 2, as GNU make does for every failure. For the exact
# code (a configuration error, say) start bin/heddle itself.
run: install page ## start all of Heddle in one process on this machine
	@$(MORE_FILES); trap : INT; trap 'kill -TERM $$pid' TERM; bin/heddle & pid=$$!; \
	while wait $$pid; code=$$?; kill -0 $$pid 2>/dev/null; do :; done; \
	case $$code in 130|143) exit 0 ;; *) exit $$code ;; esac

# Detached from this terminal once it serves; Ctrl-C before that gives it up. STORE and PORT as bin/mesh --help has them.
MESH := node --disable-warning=ExperimentalWarning cmd/mesh/main.ts
mesh: install page ## start every program and engine on this machine (STORE=postgres: the small mesh)
	@$(MORE_FILES); $(MESH) up $(if $(STORE),--store $(STORE)) $(if $(PORT),--port $(PORT))

mesh-down: install ## end the mesh; its data stays
	@$(MESH) down

mesh-status: install ## what of the mesh runs, in one screen (FLAGS=--json)
	@$(MESH) status $(FLAGS)

test: install page ## run every test; ARGS="-g words" for some
	@$(MORE_FILES); $(MOCHA) $(ARGS)

sim: install ## play seeds of the simulator (SEEDS=1-20; FLAGS=--shrink, --twice, --theme hand-off)
	@node --disable-warning=ExperimentalWarning --max-semi-space-size=64 internal/testing/sim/main.ts $(or $(SEEDS),1-20) $(FLAGS)

# make bench ONLY=direct,latency measures some, make bench FLAGS=--profile passes on what cmd/bench/main.ts --help lists.
bench: install ## measure this machine, in about 7 minutes (ONLY=direct measures one), and write docs/bench.md
	@$(MORE_FILES); node --disable-warning=ExperimentalWarning cmd/bench/main.ts $(if $(ONLY),--only $(ONLY)) $(FLAGS)

check: install ## format, lint, types, layers, contract, freshness of the generated code
	@echo "check: format and lint"; biome check --error-on-warnings .
	@echo "check: types"; tsc
	@echo "check: types of the client in browsers"; tsc -p client/tsconfig.browser.json
	@echo "check: layers"; $(MOCHA) --no-config --forbid-only --timeout 20000 --reporter dot internal/testing/layers.test.ts
	@echo "check: proto lint"; buf lint
	@if [ -f proto/contract.binpb ]; then echo "check: proto breaking"; buf breaking --against proto/contract.binpb; \
	else echo "check: proto breaking left out: there is no proto/contract.binpb yet (make contract)"; fi
	@echo "check: generated code is fresh"; rm -rf $(FRESH)
	@buf generate --template buf.gen.yaml -o $(FRESH)
	@diff -rq $(FRESH)/internal/gen internal/gen \
	|| { echo "check: generated code is stale: run make gen and commit the result" >&2; exit 1; }

fix: install ## format, and mend what the linter can mend
	@biome check --write .

gen: install ## generate internal/gen from proto
	@buf generate --template buf.gen.yaml

contract: install ## declare today's schema the one that later schemas must not break
	@buf build -o proto/contract.binpb

# LANG is the machine's locale unless it is given here: then the command lists the languages.
stubs: install ## write code of the contract for LANG=go|java|python|typescript into OUT, or stubs/<language>
	@node --disable-warning=ExperimentalWarning cmd/stubs/main.ts "$(if $(findstring command line,$(origin LANG)),$(LANG))" $(OUT)

unused: install ## list files, exports and packages that nothing uses
	@knip

page: $(PAGE) ## build the web page, if its sources are newer

# Everything that the page is built from; it takes about a second.
$(PAGE): node_modules/.installed \
$(shell find cmd/web client internal/base internal/wire internal/stream internal/gen -type f -not -path '*/dist*' -not -name '*.test.ts')
	@node cmd/web/build.ts

package: install ## build @heddle/client into client/dist and pack it as a tarball, to install elsewhere
	@cd client && npm pack

install: node_modules/.installed

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer first" >&2; exit 1; }
	@echo "installing packages (first time only)…"; log=$$(mktemp); \
	if npm ci --no-audit --no-fund >"$$log" 2>&1; then rm -f "$$log"; touch $@; \
	else cat "$$log" >&2; rm -f "$$log"; exit 1; fi
