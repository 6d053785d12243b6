#!/usr/bin/env bash
# Install the programs that tests drive for real, where this machine lets us; a test whose program is missing says so.
set -uo pipefail

installed() {  # NAME OF PACKAGE, WHAT FOR: true when it could be installed
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "installing $1, which $2"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } \
    >/dev/null 2>&1
}

if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && ! command -v chrome >/dev/null; then
  installed chromium "the tests of the report page drive" ||
    echo "no chromium here, and no way to install it unasked: the tests of the report page in a browser will be skipped"
fi
if ! command -v initdb >/dev/null && ! compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null; then
  installed postgresql "the tests of tables in PostgreSQL start for themselves" ||
    echo "no PostgreSQL server here, and no way to install it unasked: the tests of tables in PostgreSQL will be skipped"
fi
if ! command -v java >/dev/null && [ -z "${JAVA_HOME:-}" ]; then
  installed default-jre-headless "Spark runs on" ||
    echo "no Java here, and no way to install it unasked: the tests of tables in Spark will be skipped"
fi
exit 0
