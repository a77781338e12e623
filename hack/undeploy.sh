#!/usr/bin/env bash
# make undeploy: removes the programs, their rights, policies, lease and results. Models, their CRDs, node labels and node reports stay: pods are
# scheduled by the labels, and OME's agent or ours goes on from the reports without fetching anything again.
#   FORCE=1 removes those too, and with the models their files on the nodes; FORCE_WAIT=5m is how long agents and operator get for it.
set -euo pipefail
cd "$(dirname "$0")/.."
force=${FORCE:-}
namespace=ome
kinds=$(kubectl api-resources -o name 2>/dev/null || true)
has() { grep -qx "$1" <<<"$kinds"; }
remove() { kubectl delete --ignore-not-found "$@"; }

models() {
  has clusterbasemodels.ome.io && kubectl get clusterbasemodels.ome.io -o name
  has basemodels.ome.io && kubectl get basemodels.ome.io -A -o go-template='{{range .items}}-n {{.metadata.namespace}} basemodel.ome.io/{{.metadata.name}}{{"\n"}}{{end}}'
  return 0
}

# While they still run, agents remove the files and the operator lets the models go.
remove_models() {
  has clusterbasemodels.ome.io || return 0
  echo "Removing all models and their files on the nodes."
  kubectl delete clusterbasemodels.ome.io --all --wait=false
  kubectl delete basemodels.ome.io --all -A --wait=false
  local deadline=$((SECONDS + $(seconds "${FORCE_WAIT:-5m}")))
  while [ -n "$(models)" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 1; done
  models | while read -r model; do
    echo "$model did not go in time: its finalizer is removed, its files stay on the nodes."
    # shellcheck disable=SC2086 # a namespace and a name
    kubectl patch $model --type=merge -p '{"metadata":{"finalizers":null}}'
  done
}

seconds() {
  case "$1" in *m) echo $((${1%m} * 60)) ;; *s) echo "${1%s}" ;; *) echo "$1" ;; esac
}

remove_node_labels() {
  kubectl get nodes -o go-template='{{range .items}}{{$node := .metadata.name}}{{range $key, $_ := .metadata.labels}}{{$node}} {{$key}}{{"\n"}}{{end}}{{end}}' |
    { grep -E ' models\.ome\.io/' || true; } | while read -r node label; do kubectl label node "$node" "$label-"; done
}

# Everything in the namespace but what Kubernetes puts into each, and what of ours its collector has not come to yet.
left() {
  local kinds
  kinds=$(kubectl api-resources --namespaced --verbs=list,delete -o name | grep -vE '^(events|endpoints|endpointslices|leases)\b' | paste -sd, -)
  kubectl -n "$namespace" get "$kinds" --ignore-not-found -o name 2>/dev/null |
    grep -vxE 'configmap/kube-root-ca\.crt|serviceaccount/default|.*/ome-(operator|model-agent-daemonset)-.*' || true
}

if release=$(kubectl -n "$namespace" get secret -l owner=helm,name=ome -o name --ignore-not-found) && [ -n "$release" ]; then
  echo "Ome was installed here with Helm: helm uninstall ome -n $namespace" >&2
  exit 1
fi
[ -z "$force" ] || remove_models
remove -k config/agent
remove -k config/operator
if kubectl get namespace "$namespace" >/dev/null 2>&1; then
  kubectl -n "$namespace" wait --for=delete pod -l app.kubernetes.io/part-of=ome --timeout=90s 2>/dev/null || echo "Some pods are still ending."
  remove -n "$namespace" lease ome-operator-leader
fi
if has validatingadmissionpolicies.admissionregistration.k8s.io; then remove -k config/policy; fi
remove -k config/rbac
# The rights on Secrets, in whatever namespaces they were given.
kubectl delete role,rolebinding -A -l app.kubernetes.io/part-of=ome
remove priorityclass ome
# A check that nobody repeats must not go on saying Valid.
if has modelintegritychecks.ome.io; then kubectl delete modelintegritychecks.ome.io --all; fi

if [ -n "$force" ]; then
  remove -k config/crd
  remove -n "$namespace" configmap -l models.ome/basemodel-status=true
  remove_node_labels
elif [ -n "$(models)" ]; then
  echo "Kept: $(models | wc -l) model(s) with their files, node labels and reports. A model that is deleted now waits for an operator; FORCE=1 removes everything."
fi

if kubectl get namespace "$namespace" >/dev/null 2>&1; then
  others=$(left)
  if [ -z "$others" ]; then
    remove namespace "$namespace"
  else
    echo "Namespace $namespace is kept, for what is in it:"
    sed 's/^/  /' <<<"$others"
  fi
fi
[ -n "$force" ] || echo "CRDs are kept; FORCE=1 removes them."
