#!/bin/sh
# Create .venv with the versions in pyproject.toml. The argument "servers" also installs MariaDB,
# PgBouncer, a PostgreSQL with TLS and systemd-analyze, "benchmarks" wrk, valgrind and the packages of the benchmarks,
# "site" what `make site` needs, and "real" what only `make test-real` needs.
set -eu
cd "$(dirname "$0")/.."

as_root_install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
    else
        echo "$1 is not installed. Install it and try again: sudo apt-get install $1" >&2
        exit 1
    fi
}

if [ ! -x .venv/bin/python ]; then
    if ! "${PYTHON:-python3}" -m venv .venv; then
        rm -rf .venv
        as_root_install python3-venv
        "${PYTHON:-python3}" -m venv .venv
    fi
fi
if [ ! .venv/ready -nt pyproject.toml ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
    .venv/bin/uv pip install --quiet --python .venv/bin/python --group dev --group services
    touch .venv/ready
fi

PATH="$PATH:/usr/sbin"
for wanted in "$@"; do
    case $wanted in
    servers)
        command -v mariadbd >/dev/null || as_root_install mariadb-server
        if ! command -v pgbouncer >/dev/null; then
            as_root_install pgbouncer
            # The tests start their own PgBouncer, not the one of the Debian package.
            service pgbouncer stop >/dev/null 2>&1 || true
            update-rc.d pgbouncer disable >/dev/null 2>&1 || true
        fi
        command -v systemd-analyze >/dev/null || as_root_install systemd
        if [ ! -d /usr/lib/postgresql ] && ! command -v postgres >/dev/null; then
            as_root_install postgresql
            service postgresql stop >/dev/null 2>&1 || true
            update-rc.d postgresql disable >/dev/null 2>&1 || true
        fi
        ;;
    benchmarks)
        command -v wrk >/dev/null || as_root_install wrk
        command -v callgrind_control >/dev/null || as_root_install valgrind
        if [ ! .venv/benchmarks -nt pyproject.toml ]; then
            .venv/bin/uv pip install --quiet --python .venv/bin/python --group benchmarks
            touch .venv/benchmarks
        fi
        ;;
    site)
        if [ ! .venv/site -nt pyproject.toml ]; then
            .venv/bin/uv pip install --quiet --python .venv/bin/python --group site
            touch .venv/site
        fi
        ;;
    real)
        command -v chromium >/dev/null || as_root_install chromium
        if [ ! .venv/real -nt pyproject.toml ]; then
            .venv/bin/uv pip install --quiet --python .venv/bin/python --group real
            touch .venv/real
        fi
        ;;
    esac
done
