#!/bin/sh
# packages.sh build|run: what the system brings. The only step besides fetch.sh that needs a network.
# build: to compile the C++ core. run: Python alone. A Python that is there already is used.
set -eu

wanted="python3 python3-venv ca-certificates"
if [ "$1" = build ]; then
  wanted="$wanted g++ python3-dev"
fi
apt-get update -q
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted
rm -rf /var/lib/apt/lists/*
