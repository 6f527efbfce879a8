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

wanted=$({ pwd; cat tools/install.sh tools/bootstrap.lock requirements.lock pyproject.toml; } | cksum)
stamp=.venv/installed
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

[ -n "$python" ] || fail "Python 3.11 or newer is needed and no python3 on PATH is one." \
    "Install it, or name one: make install PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments (venv or ensurepip is missing)." \
        "On Debian and Ubuntu: sudo apt-get install python3-venv"

rm -f "$stamp"
# A virtual environment names its own folder inside: one that was moved, or is of an older Python, is made anew.
if [ "$(cat .venv/folder 2>/dev/null)" != "$(pwd)" ] ||
    ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
    pwd > .venv/folder
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1
say "installing uv, which installs the rest"
.venv/bin/python -m pip install --quiet --require-hashes -r tools/bootstrap.lock ||
    fail "pip could not install uv; without a way to a package index set PIP_INDEX_URL to a mirror"

# uv does not read pip's configuration: a mirror set there holds for uv as well.
mirror=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
mirror=${PIP_INDEX_URL:-$mirror}
[ -z "$mirror" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$mirror}"

say "installing $(grep -c '==' requirements.lock) locked packages (about 420 MB on disk)"
VIRTUAL_ENV=$(pwd)/.venv
export VIRTUAL_ENV
.venv/bin/python -m uv --quiet pip sync --require-hashes requirements.lock
.venv/bin/python -m uv --quiet pip install --no-deps --no-build-isolation --offline --editable .
printf '%s\n' "$wanted" > "$stamp"
say "done"
