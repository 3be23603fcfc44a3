#!/usr/bin/env bash
# Installs the programs of the practice systems (Docker engine, registry, PostgreSQL, Redis, SSH
# server, nginx, Git, tmux) where they are missing. Nothing that the packages bring is started: the
# sandbox and the tests start what they need themselves, on loopback, in a directory of their own.
# Without root or apt it says what is missing and leaves the judgement to whoever needs it.
set -euo pipefail
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# program (or a folder) and the Debian package that brings it
needed=(
    dockerd:docker.io docker:docker.io docker-registry:docker-registry
    /usr/lib/postgresql:postgresql pg_dump:postgresql-client redis-server:redis-server
    sshd:openssh-server ssh:openssh-client ip:iproute2 nginx:nginx git:git tmux:tmux
)
packages=()
for pair in "${needed[@]}"; do
    program=${pair%%:*} package=${pair#*:}
    [ -e "$program" ] || command -v "$program" >/dev/null || packages+=("$package")
done
[ ${#packages[@]} -gt 0 ] || exit 0
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing on this machine: ${packages[*]}" >&2
    echo "Install them as root; on Debian: apt-get install ${packages[*]}" >&2
    exit 0
fi

echo "Installing ${packages[*]} …"
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    made_policy=1
fi
tidy() { [ -z "$made_policy" ] || rm -f "$policy"; rm -f "$log"; }
trap tidy EXIT

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
        "$@" </dev/null >>"$log" 2>&1
}
# An index that is there may do; fetch a fresh one only when it does not.
if ! install "${packages[@]}"; then
    if ! { apt-get update --quiet </dev/null >>"$log" 2>&1 && install "${packages[@]}"; }; then
        tail -n 20 "$log" >&2
        echo "apt-get could not install ${packages[*]}: the reason stands above." >&2
        exit 2
    fi
fi
