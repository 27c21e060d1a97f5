# shellcheck shell=bash
# What the scripts beside it share: names made from the checkout's path, looking
# into the cluster's namespaces, and saying what is wrong. Sourced, never run.

HERE=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")" && pwd)
CHECKOUT=$(realpath "$HERE/../..")
KEY=$(printf %s "$CHECKOUT" | sha256sum | cut -c1-10)
STATE_ROOT=/var/lib/syncwave-cluster
STATE=$STATE_ROOT/$KEY
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/syncwave-cluster
KUBECONFIG_FILE=$STATE/kubeconfig

# Inside the cluster's own network every address is free to choose. All stand on
# the loopback device of that network: the node, the Service `kubernetes`, and the
# DNS server that is not there, so that a name is refused at once.
NODE_IP=10.90.0.1
API_IP=10.96.0.1
DNS_IP=10.96.0.10
API_PORT=443
REGISTRY=127.0.0.1:5000

say() { printf 'cluster: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "$(basename "$0") has to run as root: it makes namespaces, mounts and control groups (you are $(id -un); try sudo)"
}

# Scripts of one checkout take turns. The lock is on the folder, so no file stays
# behind; whoever stays running closes descriptor 9.
take_turn() {
  exec 9<"$HERE"
  flock --timeout 600 9 || fail "another up or down of $CHECKOUT has been running for ten minutes; end it first"
}

# started_at PID: the moment a process began, which with its id names it for good.
started_at() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  set -f
  # shellcheck disable=SC2086 # the words of the line are wanted
  set -- ${stat##*) }
  set +f
  [ "$1" != Z ] && printf '%s\n' "${20}"
}

parent_of() { awk '$1 == "PPid:" { print $2 }' "/proc/$1/status"; }

# init_pid: the id of the cluster's first process, if it lives.
init_pid() {
  local pid start
  read -r pid start 2>/dev/null <"$STATE/init" || return 1
  [ "$(started_at "$pid")" = "$start" ] && printf '%s\n' "$pid"
}

# inside COMMAND…: runs it in all namespaces of the cluster.
inside() {
  local pid
  pid=$(init_pid) || {
    say "the cluster of $CHECKOUT is not up; run tests/cluster/up"
    return 1
  }
  nsenter --target "$pid" --mount --net --pid --wd=/ -- "$@" 9<&-
}

kubectl() { inside /run/state/bin/kubectl --kubeconfig /run/state/kubeconfig --cache-dir /run/state/kubectl-cache "$@"; }

component_lives() {
  inside sh -c 'read -r pid <"/run/pids/$1" && kill -0 "$pid"' sh "$1" 2>/dev/null
}

# start_component NAME PORTS COMMAND…: starts it unless it lives. PORTS are the
# ones it will listen on, separated by commas, or `-`.
start_component() {
  local name=$1 ports=$2
  shift 2
  component_lives "$name" && return
  ports_are_free "$name" "$ports"
  # shellcheck disable=SC2016 # expanded by the inner shell
  inside sh -c '
    name=$1; shift
    "$@" >>"/run/state/log/$name.log" 2>&1 </dev/null &
    echo $! >"/run/pids/$name"' sh "$name" setsid "$@"
}

stop_component() {
  component_lives "$1" || return 0
  # shellcheck disable=SC2016
  inside sh -c '
    read -r pid <"/run/pids/$1"
    for signal in TERM KILL; do
      kill -s "$signal" "$pid" 2>/dev/null || exit 0
      for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || exit 0; sleep 0.1; done
    done
    exit 1' sh "$1" || fail "$1 does not end, not even when it is killed; run tests/cluster/down"
}

ports_are_free() {
  local port taken
  [ "$2" = - ] && return
  for port in ${2//,/ }; do
    taken=$(inside ss -Hltnp "sport = :$port" 2>/dev/null | head -n 1)
    [ -z "$taken" ] || fail "$1 needs port $port of the cluster's network, but it is taken: $(whose_port "$taken"); end that process, or run tests/cluster/down"
  done
}

# Processes started through `exec` live outside the inner process ids, where `ss`
# cannot name them.
whose_port() {
  case $1 in
    *users:*) printf '%s\n' "${1##*users:}" ;;
    *) printf 'by a command that runs through tests/cluster/exec (process %s)\n' "$(guests | paste -sd ' ')" ;;
  esac
}

# guests: ids of the processes that `exec` brought into the cluster's network. The
# `unshare` that waits for the first process is there too, and is none.
guests() {
  local pid parent net ns dir
  pid=$(init_pid) || return 0
  parent=$(parent_of "$pid")
  net=$(readlink "/proc/$pid/ns/net")
  ns=$(readlink "/proc/$pid/ns/pid")
  for dir in /proc/[0-9]*; do
    [ "$(readlink "$dir/ns/net")" = "$net" ] && [ "$(readlink "$dir/ns/pid")" != "$ns" ] &&
      [ "${dir#/proc/}" != "$parent" ] && printf '%s\n' "${dir#/proc/}"
  done 2>/dev/null
  return 0
}

# wait_for SECONDS WHAT COMPONENT COMMAND…: polls, and gives up at once when the
# component has ended.
wait_for() {
  local seconds=$1 what=$2 name=$3 deadline
  shift 3
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    component_lives "$name" || explain "$name ended while up waited for: $what" "$name"
    [ "$SECONDS" -lt "$deadline" ] || explain "after $seconds s still missing: $what" "$name"
    sleep 0.2
  done
}

# explain SENTENCE COMPONENT: fails with the end of the component's log.
explain() {
  say "the last lines of $2:"
  tail -n 15 "$STATE/log/$2.log" >&2 || true
  fail "$1"
}

# cgroups: the control groups of the cluster's containers. containerd keeps a
# folder for each container in its state, under the id that names the group.
cgroups() {
  local dir id
  for dir in "$STATE"/lib/containerd/io.containerd.runtime.v2.task/k8s.io/*; do
    id=$(basename "$dir")
    for dir in /sys/fs/cgroup/k8s.io/"$id" /sys/fs/cgroup/*/k8s.io/"$id"; do
      [ ! -d "$dir" ] || printf '%s\n' "$dir"
    done
  done
}

# existing FOLDER: the folder, or the nearest one above it that exists.
existing() {
  local folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  printf '%s\n' "$folder"
}

# need_space FOLDER MEGABYTES WHY
need_space() {
  local folder free
  folder=$(existing "$1")
  free=$(df --output=avail -BM "$folder" | tail -n 1 | tr -dc 0-9)
  [ "$free" -ge "$2" ] || fail "the disk is nearly full: $3 needs $2 MB below $folder, and $free MB are free"
}

# cni_folder: prints where the CNI plugins are; Debian and others differ.
cni_folder() {
  local folder
  for folder in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
    [ ! -x "$folder/bridge" ] || [ ! -x "$folder/host-local" ] || { printf '%s\n' "$folder" && return; }
  done
  return 1
}

# A busybox that needs a shared library cannot run in an empty image.
static_busybox() { [ -x /bin/busybox ] && ! ldd /bin/busybox; }
