# shellcheck shell=bash
# The images of hooks and workloads, all made from the machine's static busybox:
# one archive in the OCI layout, imported into containerd. Those of docker.io are
# pushed to the registry on loopback as well, for pods that pull. Sourced by up.

# image NAME LAYER CONFIG: adds an image of the busybox layer and one more, whose
# folder is LAYER (`-` for none). CONFIG holds members of the runtime config.
image() {
  local layers=("$base") config manifest
  [ "$2" = - ] || layers+=("$(layer "$2")")
  config=$(blob <<<"{\"architecture\":\"$arch\",\"os\":\"linux\",\"config\":{$3},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$(joined 'quoted' "${layers[@]}")]}}")
  manifest=$(blob <<<"{\"schemaVersion\":2,\"mediaType\":\"$OCI.manifest.v1+json\",\"config\":$(described "$OCI.config.v1+json" "$config"),\"layers\":[$(joined layer_described "${layers[@]}")]}")
  index+=("$(described "$OCI.manifest.v1+json" "$manifest" ",\"annotations\":{\"io.containerd.image.name\":\"$1\"}")")
  IMAGES+=("$1")
}

OCI=application/vnd.oci.image
IMAGES=()

# blob: stores standard input under its digest and prints the digest.
blob() {
  local digest
  cat >"$layout/new"
  digest=$(sha256sum "$layout/new" | cut -d' ' -f1)
  mv "$layout/new" "$layout/blobs/sha256/$digest"
  printf 'sha256:%s\n' "$digest"
}

layer() { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - . | blob; }

described() {
  printf '{"mediaType":"%s","digest":"%s","size":%s%s}' "$1" "$2" "$(stat -c %s "$layout/blobs/sha256/${2#sha256:}")" "${3-}"
}

layer_described() { described "$OCI.layer.v1.tar" "$1"; }
quoted() { printf '"%s"' "$1"; }

# joined FUNCTION ITEM…: the function's output for each item, separated by commas.
joined() {
  local function=$1 item comma=
  shift
  for item in "$@"; do
    printf %s "$comma"
    "$function" "$item"
    comma=,
  done
}

# write_archive FILE: all images in one tar.
write_archive() {
  local layout base index=() arch work=$STATE/images
  layout=$work/layout
  rm -rf "$work"
  mkdir -p "$layout/blobs/sha256"
  arch=$(go_arch)
  base=$(layer "$(busybox_folder "$work/busybox")")
  add_images "$work"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  printf '{"schemaVersion":2,"manifests":[%s]}' "$(joined printf_item "${index[@]}")" >"$layout/index.json"
  tar -C "$layout" -cf "$1" oci-layout index.json blobs
  rm -rf "$work"
}

printf_item() { printf %s "$1"; }

go_arch() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

add_images() {
  local path='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]' work=$1
  image docker.io/library/busybox:latest - "$path,\"Cmd\":[\"sh\"]"
  image docker.io/library/alpine:latest - "$path,\"Cmd\":[\"/bin/sh\"]"
  image docker.io/library/ubuntu:latest "$(script_folder "$work/ubuntu" bin/bash bash)" "$path,\"Cmd\":[\"/bin/bash\"]"
  image docker.io/curlimages/curl:latest "$(script_folder "$work/curl" usr/bin/curl curl)" "$path,\"Entrypoint\":[\"curl\"]"
  image syncwave.test/pause:1 "$(script_folder "$work/pause" pause pause)" "$path,\"Entrypoint\":[\"/pause\"]"
  image syncwave.test/kubectl:1 "$(kubectl_folder "$work/kubectl")" "$path,\"Entrypoint\":[\"kubectl\"]"
}

# busybox_folder DIR: busybox and a link for each of its commands.
busybox_folder() {
  mkdir -p "$1"/bin "$1"/sbin "$1"/usr/bin "$1"/usr/sbin "$1"/etc "$1"/root "$1"/var
  mkdir -m 1777 "$1/tmp"
  cp /bin/busybox "$1/bin/busybox"
  chroot "$1" /bin/busybox --install -s
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
  printf '%s\n' "$1"
}

# script_folder DIR PATH NAME: a folder with one of the stand-ins of images/.
script_folder() {
  install -D -m 755 "$HERE/images/$3" "$1/$2"
  printf '%s\n' "$1"
}

kubectl_folder() {
  mkdir -p "$1/usr/local/bin"
  cp "$STATE/bin/cluster" "$1/usr/local/bin/kubectl"
  printf '%s\n' "$1"
}

ctr() { inside ctr --namespace k8s.io "$@"; }

# serve_images: makes them, gives them to the node, and to the registry.
serve_images() {
  local name
  [ ! -e "$STATE/images.done" ] || return 0
  write_archive "$STATE/images.tar"
  ctr images import --digests=false /run/state/images.tar >/dev/null
  for name in "${IMAGES[@]}"; do
    [ "${name%%/*}" = docker.io ] || continue
    ctr images push --plain-http "$REGISTRY/${name#*/}" "$name" >/dev/null
  done
  rm "$STATE/images.tar"
  touch "$STATE/images.done"
}
