#!/bin/sh
# What the entry point of the official image does with the variables in compose.yaml.
set -eu
data=/var/lib/postgresql/18/docker
bin=/usr/lib/postgresql/18/bin
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -s "$data/PG_VERSION" ]; then
    install -d -o postgres -g postgres -m 700 "$data" /var/run/postgresql
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
    chown postgres /tmp/password
    as_postgres "$bin/initdb" --pgdata="$data" --username="$POSTGRES_USER" --encoding=UTF8 \
        --locale=C.UTF-8 --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$data/postgresql.conf"
    as_postgres "$bin/pg_ctl" --pgdata="$data" --wait --options='-c listen_addresses=' start
    as_postgres "$bin/createdb" --username="$POSTGRES_USER" "$POSTGRES_DB" ||
        [ "$POSTGRES_DB" = postgres ]
    as_postgres "$bin/pg_ctl" --pgdata="$data" --wait stop
fi
install -d -o postgres -g postgres /var/run/postgresql
exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data"
