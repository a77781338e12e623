#!/usr/bin/env bash
# make deploy: CRDs, then the programs and their rights, then the admission policies where the cluster knows them. Applying again changes nothing.
#   OVERLAY=default|overlays/gpu-nodes|overlays/minimal   IMAGE=registry.example/ome/   TAG=latest   POLICY=auto|yes|no   WAIT=5m
set -euo pipefail
cd "$(dirname "$0")/.."
overlay=${OVERLAY:-default}
policy=${POLICY:-auto}
apply() { kubectl apply --server-side --field-manager=ome-deploy "$@"; }

case "$policy" in auto | yes | no) ;; *) echo "POLICY is '$policy'; it must be auto, yes or no" >&2; exit 2 ;; esac
[ -f "config/$overlay/kustomization.yaml" ] || { echo "OVERLAY is '$overlay'; there is no config/$overlay" >&2; exit 2; }

apply -k config/crd
kubectl wait --for=condition=Established --timeout=60s crd/basemodels.ome.io crd/clusterbasemodels.ome.io crd/modelintegritychecks.ome.io >/dev/null
kubectl kustomize "config/$overlay" | sed -E "s#image: (ome-agent|ome-operator):latest#image: ${IMAGE:-}\1:${TAG:-latest}#" | apply -f -

if [ "$overlay" = overlays/minimal ] && [ "$policy" = auto ]; then policy=no; fi
if [ "$policy" = auto ]; then
  # Pod tokens name their node since the version in which this API became stable; without that the policies would refuse every agent.
  policy=no
  if kubectl api-resources --api-group=admissionregistration.k8s.io -o wide | grep -q '^validatingadmissionpolicies .* admissionregistration.k8s.io/v1 '; then policy=yes; fi
  [ "$policy" = yes ] || echo "The admission policies are left out: this Kubernetes is older than 1.30."
fi
if [ "$policy" = yes ]; then apply -k config/policy; fi

if [ -n "${WAIT:-}" ]; then
  kubectl -n ome rollout status deployment/ome-operator --timeout="$WAIT"
  kubectl -n ome rollout status daemonset/ome-model-agent-daemonset --timeout="$WAIT"
fi
