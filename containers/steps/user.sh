#!/bin/sh
# A user without rights or a password, and a folder for its runs. Offline.
set -eu

groupadd --gid 10001 edgeval
useradd --uid 10001 --gid 10001 --home-dir /runs --no-create-home --shell /usr/sbin/nologin edgeval
install -d -o edgeval -g edgeval /runs
