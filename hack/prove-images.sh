#!/usr/bin/env bash
# make images-proof: where the default base cannot be pulled, the images are proved on a base made of Debian packages, in a registry on loopback.
# Then each program runs from its image as a user that is not root, on a read-only root filesystem. Needs Debian and root; installs what is missing.
#   PROOF_PLATFORMS="linux-x64 linux-arm64" (both are built; the one of this machine is run)
set -euo pipefail
cd "$(dirname "$0")/.."
platforms=${PROOF_PLATFORMS:-linux-x64 linux-arm64}
user=1654
packages=(mmdebstrap skopeo umoci docker-registry curl jq)

[ "$(id -u)" = 0 ] || { echo "a root filesystem is made here: run it as root" >&2; exit 1; }
for package in "${packages[@]}"; do
  command -v "$package" >/dev/null && continue
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  break
done

scratch=$(mktemp -d)
registry_pid=
clean() {
  if [ -n "$registry_pid" ]; then kill "$registry_pid" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap clean EXIT
step() { printf '\n== %s\n' "$*"; }

step "a registry on loopback"
cat >"$scratch/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $scratch/registry}}
http: {addr: "127.0.0.1:0"}
YAML
docker-registry serve "$scratch/registry.yml" >"$scratch/registry.log" 2>&1 &
registry_pid=$!
until address=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$scratch/registry.log"); do
  kill -0 "$registry_pid" || { cat "$scratch/registry.log" >&2; exit 1; }
  sleep 0.1
done
registry=${address##* }
export DOTNET_CONTAINER_INSECURE_REGISTRIES=$registry
echo "$registry"

# Only what .NET links to, and certificates: no shell, no package manager, as in a chiseled base.
base() {
  local arch=$1 bundle=$scratch/base-$1
  umoci init --layout "$bundle.oci"
  umoci new --image "$bundle.oci:1"
  umoci unpack --image "$bundle.oci:1" "$bundle" 2>/dev/null
  # shellcheck disable=SC2016 # mmdebstrap's own $1
  mmdebstrap --quiet --variant=extract --architectures="$arch" --include=base-files,libc6,libgcc-s1,libstdc++6,libssl3,ca-certificates \
    --customize-hook='cat "$1"/usr/share/ca-certificates/mozilla/*.crt > "$1/etc/ssl/certs/ca-certificates.crt"' \
    --customize-hook="echo 'app:x:$user:$user::/:/sbin/nologin' > \"\$1/etc/passwd\"" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$bundle/rootfs" /etc/apt/sources.list.d/*.sources
  umoci repack --image "$bundle.oci:1" "$bundle" 2>/dev/null
  umoci config --image "$bundle.oci:1" --os linux --architecture "$arch" --config.user "$user:$user" --clear=config.cmd
  skopeo copy --quiet --dest-tls-verify=false "oci:$bundle.oci:1" "docker://$registry/base:$arch"
}

# The base as one name for all architectures.
index() {
  local arch manifest entries=()
  for arch in "$@"; do
    manifest=$(skopeo inspect --raw --tls-verify=false "docker://$registry/base:$arch"; printf x)
    manifest=${manifest%x}
    entries+=("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$(printf %s "$manifest" | sha256sum | cut -d' ' -f1)\",\"size\":${#manifest},\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"}}")
  done
  local IFS=,
  curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' "http://$registry/v2/base/manifests/1" \
    -d "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[${entries[*]}]}"
}

step "a base of Debian packages"
arches=()
for platform in $platforms; do
  case "${platform#linux-}" in x64) arches+=(amd64) ;; *) arches+=("${platform#linux-}") ;; esac
done
for arch in "${arches[@]}"; do base "$arch"; done
index "${arches[@]}"
echo "${arches[*]}"

step "make images"
make images IMG_BASE="$registry/base:1" IMG_REGISTRY="$registry/team" TAG=proof IMG_PLATFORMS="$platforms"

# Runs a program of an image as its own user: read-only root filesystem, /tmp as in the manifests, no network, no capabilities, no new privileges.
# run IMAGE MODELS ARGUMENTS...; MODELS is mounted read-only at /models, empty for nothing.
run() {
  local image=$1 models=$2 layout=$scratch/$1.oci root=$scratch/$1 config user entry environment
  shift 2
  if [ ! -d "$root" ]; then
    skopeo copy --quiet --src-tls-verify=false "docker://$registry/team/$image:proof" "oci:$layout:1"
    umoci unpack --image "$layout:1" "$root" 2>/dev/null
    mkdir -p "$root/rootfs/"{proc,dev,tmp,models}
  fi
  config=$(skopeo inspect --config "oci:$layout:1")
  user=$(jq -r '.config.User // ""' <<<"$config")
  case "${user%%:*}" in "" | 0 | root) echo "$image runs as '$user'" >&2; return 1 ;; esac
  mapfile -t entry < <(jq -r '.config.Entrypoint[]' <<<"$config")
  mapfile -t environment < <(jq -r '.config.Env[]?' <<<"$config")
  # shellcheck disable=SC2016 # expanded inside
  ROOT=$root/rootfs MODELS=$models env "${environment[@]}" PATH="$PATH" unshare --mount --pid --net --ipc --uts --fork bash -euc '
    mount --make-rprivate /
    mount --bind "$ROOT" "$ROOT"
    mount -t proc proc "$ROOT/proc"
    mount -t tmpfs tmpfs "$ROOT/tmp"
    mount -t tmpfs tmpfs "$ROOT/dev"
    for device in null zero random urandom; do touch "$ROOT/dev/$device"; mount --bind "/dev/$device" "$ROOT/dev/$device"; done
    if [ -n "$MODELS" ]; then mount --bind "$MODELS" "$ROOT/models"; mount -o remount,bind,ro "$ROOT/models"; fi
    mount -o remount,bind,ro "$ROOT"
    exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec="$1" --groups= "$ROOT" "${@:2}"
  ' bash "$user" "${entry[@]}" "$@"
}

step "ome-agent --version"
run ome-agent "" --version

step "ome-agent verify on a mounted directory: intact, then damaged"
mkdir "$scratch/models"
head -c 300000 /dev/urandom >"$scratch/models/weights.bin"
(cd "$scratch/models" && sha256sum weights.bin >SHA256SUMS)
run ome-agent "$scratch/models" verify /models
printf x | dd of="$scratch/models/weights.bin" bs=1 seek=1000 conv=notrunc status=none
status=0
run ome-agent "$scratch/models" verify /models || status=$?
[ "$status" = 1 ] || { echo "damage gave exit code $status, not 1" >&2; exit 1; }

step "ome-operator --help"
run ome-operator "" --help | head -n 5

step "as an archive"
rm -rf artifacts/images
make images IMG_BASE="$registry/base:1" TAG=proof IMG_PLATFORMS="$platforms" >/dev/null
for archive in artifacts/images/*.tar.gz; do
  skopeo inspect --raw "oci-archive:$archive" | grep -oE '"architecture": ?"[a-z0-9]+"' | sort -u | paste -sd' ' - | sed "s|^|$archive: |"
done

step "proved: non-root, read-only root filesystem"
