#!/bin/sh
# fetch.sh LOCK...: every file that the locks name into /wheels, held to its hash. The last step with a
# network.
set -eu

python3 -m venv /opt/build
for lock in "$@"; do
  /opt/build/bin/pip download -q --disable-pip-version-check --only-binary=:all: --require-hashes \
    -r "/locks/$lock.txt" -d /wheels
done
