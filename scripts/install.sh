#!/bin/sh
# Makes the virtual environment VENV and installs the program with its tools, at the exact versions of
# constraints.txt. As root on Debian it installs the venv module when that is missing.
set -eu
venv=$1
python=${PYTHON:-python3}

fail() { printf '%s\n' "$*" >&2; exit 2; }

command -v "$python" >/dev/null 2>&1 || {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
        fail "$python is missing. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old: this needs Python 3.11 or newer. Name another one: make PYTHON=python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null || {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
        fail "Python's venv module is missing. As root: apt-get install python3-venv"
    echo "Installing python3-venv …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
}

echo "Installing into $venv (a minute at the first time) …"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable '.[dev]'
