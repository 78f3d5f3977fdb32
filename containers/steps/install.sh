#!/bin/sh
# install.sh LOCK [--system-site-packages]: the C++ core compiled from /src, and edgeval with what the
# lock names in /opt/edgeval. Offline. With --system-site-packages it sees the system's tensorrt.
set -eu

lock=/locks/$1.txt
pip="pip -q --disable-pip-version-check"
from="--no-index --find-links /wheels"
# shellcheck disable=SC2086 # options
{
  /opt/build/bin/$pip install $from --require-hashes -r /locks/build.txt
  PATH=/opt/build/bin:$PATH /opt/build/bin/$pip wheel $from --no-build-isolation --no-deps \
    -w /wheels /src
  python3 -m venv ${2:-} /opt/edgeval
  # Also what the system has already: the lock decides.
  /opt/edgeval/bin/$pip install $from --ignore-installed --require-hashes -r "$lock"
  /opt/edgeval/bin/$pip install $from --no-deps /wheels/edgeval-*.whl
}
