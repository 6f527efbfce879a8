#!/bin/sh
# Makes .venv hold exactly requirements.lock and this project, with nothing but Python 3.11+.
# Does nothing when it already does, so it needs the network only after a change of the lock.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "install: $*" >&2; }
fail() { say "$*"; exit 1; }

python=
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done

# What .venv holds: it names its own folder inside, so a moved one is of no use.
packages=$({ pwd; cat tools/bootstrap.lock requirements.lock; } | cksum)
project=$({ pwd; cat tools/install.sh pyproject.toml; } | cksum)
is() { [ "$(cat ".venv/$1" 2>/dev/null)" = "$2" ]; }
.venv/bin/python -c '' 2>/dev/null || rm -f .venv/packages .venv/project
if is packages "$packages" && is project "$project"; then
    exit 0
fi

[ -n "$python" ] || fail "Python 3.11 or newer is needed and no python3 on PATH is one." \
    "Install it, or name one: make install PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments (venv or ensurepip is missing)." \
        "On Debian and Ubuntu: sudo apt-get install python3-venv"

if ! is packages "$packages"; then
    rm -f .venv/packages .venv/project
    if ! is folder "$(pwd)" ||
        ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "making .venv with $("$python" --version)"
        rm -rf .venv
        "$python" -m venv .venv
        pwd > .venv/folder
    fi

    say "installing uv, which installs the rest"
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    .venv/bin/python -m pip install --quiet --require-hashes -r tools/bootstrap.lock ||
        fail "pip could not install uv; without a way to a package index set PIP_INDEX_URL to a mirror"

    # uv does not read pip's configuration: a mirror set there holds for uv as well.
    mirror=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$mirror" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$mirror}"

    say "installing $(grep -c '==' requirements.lock) locked packages (about 580 MB on disk)"
    VIRTUAL_ENV=$(pwd)/.venv .venv/bin/python -m uv --quiet pip sync --require-hashes requirements.lock
    printf '%s\n' "$packages" > .venv/packages
fi

VIRTUAL_ENV=$(pwd)/.venv .venv/bin/python -m uv --quiet pip install \
    --no-deps --no-build-isolation --offline --editable .
printf '%s\n' "$project" > .venv/project
