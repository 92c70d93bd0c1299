# Everything you can do with this project. Each target first sets up the machine (scripts/set-up).
.DEFAULT_GOAL := help
.PHONY: help deb image image-boot image-test image-twice demo test test-deep test-unit test-integration check bench bench-radio bench-office bench-gallery bench-notifier soak sim kills replay pictures docs fuzz mutation planted lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

deb: ## build/watchlink_VERSION_ARCHITECTURE.deb for Debian 13: programs and their libraries, and the packages they need
	@scripts/set-up check
	@scripts/deb

image: ## the SD card's image for a Pi and its update bundle, into build/image (as root); ARCH=amd64 for QEMU
	@scripts/set-up image
	@.venv/bin/python -m images build --arch $(or $(ARCH),arm64) $(IMAGE)

image-twice: ## the image built twice from the last commit, and compared byte by byte (as root; half an hour); ARCH=amd64 for QEMU
	@scripts/set-up image
	@scripts/image-twice $(or $(ARCH),arm64)

image-boot: ## the image for QEMU from a blank card to an answered alert, in a town that runs here; ARCH=arm64: that a Pi's starts
	@scripts/set-up demo
	@scripts/set-up image
	@.venv/bin/python -m images boot --arch $(or $(ARCH),amd64) $(BOOT)

image-test: ## updates in QEMU: a good one is taken, a bad one goes back by itself, the power is cut ten times in each step, and cards, services and clocks fail (hours)
	@scripts/set-up demo
	@scripts/set-up image
	@.venv/bin/python -m images test $(TEST)

demo: ## a whole town on this machine; DEMO="--script first-alert" plays a script
	@scripts/set-up demo
	@.venv/bin/watchlink demo $(DEMO)

test: ## all tests: units on every Python here, real broker, central, nodes, browser; TEST=whole: on PostgreSQL too
	@scripts/set-up test
	@scripts/test $(TEST)

test-unit: ## unit tests on every Python here
	@scripts/set-up test
	@scripts/test unit $(TEST)

test-integration: ## real broker, central, nodes, browser, systemd
	@scripts/set-up test
	@scripts/test integration $(TEST)

test-deep: ## the office's tests on a PostgreSQL of their own
	@scripts/set-up check
	@scripts/set-up test-deep
	@scripts/test deep $(TEST)

check: ## lint, format, types, import contracts, shell scripts, rules of the project
	@scripts/set-up check
	@scripts/check

bench: ## press to receipt and the storm, each beside a reference loop
	@scripts/set-up bench
	@.venv/bin/python -m bench $(BENCH)

bench-radio: ## delivery against noise for each radio mode, beside plain AX.25; airtime beside the least possible
	@scripts/set-up bench-radio
	@.venv/bin/python -m bench.radio $(BENCH)

bench-office: ## the office with 5,000 premises: start, memory, lists, notices, hostile photographs, and alerts beside imports and printing (as root)
	@scripts/set-up bench
	@.venv/bin/python -m bench.office $(BENCH)
	@.venv/bin/python -m bench.office_register $(REGISTER)

bench-gallery: ## the gallery on a node: a first synchronisation beside curl, a change to 50 nodes, its page, memory, presses beside it (as root)
	@scripts/set-up bench
	@.venv/bin/python -m bench.gallery $(BENCH)

bench-notifier: ## presses while 200 people are asked by push and text message, beside the same node alone (as root; twelve minutes)
	@scripts/set-up bench
	@.venv/bin/python -m bench.notifier $(BENCH)

soak: ## memory of central and a node before and after a flood of 10 million messages; SOAK="--messages 1_000_000" for less
	@scripts/set-up bench
	@.venv/bin/python -m bench.soak $(SOAK)

sim: ## the simulated town: 240 seeds (make test: 16), 10,000 galleries, every planted fault; SIM="--seed 7" replays one
	@scripts/set-up sim
	@.venv/bin/python -m sim $(SIM)

kills: ## kill nodes, central and broker at random moments of a press, 300 times each; KILLS="--times 20 --seed 7"
	@scripts/set-up demo
	@.venv/bin/python -m demo.kills $(KILLS)

replay: ## run the tests of the inspection's findings against the inspected code, to see them fail; REPLAY="--units 13 19"
	@scripts/replay $(REPLAY)

pictures: ## draw every OLED screen and notice, photograph central's page, the office's and the shop's, into docs/pictures
	@scripts/set-up pictures
	@.venv/bin/python -m tools.node_pictures
	@.venv/bin/python -m tools.central_pictures
	@.venv/bin/python -m tools.paper_pictures
	@.venv/bin/python -m tools.exclusion_pictures
	@.venv/bin/python -m tools.rota_pictures
	@.venv/bin/python -m tools.shop_gallery_pictures
	@.venv/bin/python -m tools.shop_page_pictures

docs: ## write the generated files: docs/wire.md, docs/asyncapi.json, docs/node-machine.md, docs/exclusions.md, docs/gallery.md, wire/vectors
	@scripts/set-up sim
	@.venv/bin/python -m tools.publish
	@.venv/bin/python -m tools.node_machine
	@.venv/bin/python -m tools.case_life
	@.venv/bin/python -m tools.gallery_rules

fuzz: ## feed every decoder far more hostile input than the tests
	@scripts/set-up test
	@WATCHLINK_FUZZ=1 .venv/bin/python -m pytest -q -n 2 -m 'hypothesis and not integration' tests $(FUZZ)

mutation: ## plant 1,000 small mistakes one by one: nine in ten must fail a unit test; MUTATION="--seed 2 --sample 200"
	@scripts/set-up test
	@.venv/bin/python -m tools.mutation $(MUTATION)

planted: ## plant each bug that would hurt most in a copy of the tree: its tests must fail; PLANTED="--only ticket"
	@scripts/set-up sim
	@.venv/bin/python -m tools.planted $(PLANTED)

lock: ## pin every Python package with hashes, after a change in pyproject.toml
	@scripts/set-up check
	.venv/bin/uv pip compile -q --universal --generate-hashes --extra node --extra central --extra fleet --extra notifier --extra office --extra dev --no-header \
	  -o requirements.lock pyproject.toml
	echo 'lgpio>=0.2.2' | .venv/bin/uv pip compile -q --generate-hashes --no-header --no-annotate --python-version 3.13 --no-binary :all: \
	  -o images/layers/hardware/sdists.lock -

clean: ## remove environments, caches and builds
	rm -rf .venv .venv313 build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
