#!/bin/sh
# What the entry point of the official image does with the variables in compose.yaml.
set -eu
data=/var/lib/mysql
options="--no-defaults --user=mysql --datadir=$data --mysqlx=OFF --secure-file-priv=NULL"
getent passwd mysql >/dev/null || useradd --system --home-dir "$data" mysql
install -d -o mysql -g mysql "$data" /var/run/mysqld

if [ ! -d "$data/mysql" ]; then
    # shellcheck disable=SC2086
    mysqld $options --initialize-insecure
    cat >/tmp/init.sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE USER root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE $MYSQL_DATABASE;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%';
SQL
    options="$options --init-file=/tmp/init.sql"
fi
# shellcheck disable=SC2086
exec mysqld $options
