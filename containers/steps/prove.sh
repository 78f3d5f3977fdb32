#!/bin/sh
# What was installed works: one question through the model and the lessons that edgeval carries.
# Offline, as the user that the image runs as.
set -eu

work=$(mktemp -d)
/opt/edgeval/bin/edgeval run videommmu --limit 1 --progress none --engine cpu -o "$work/run" >/dev/null
/opt/edgeval/bin/edgeval capsule "$work/run" -o "$work/run.capsule" >/dev/null
/opt/edgeval/bin/edgeval verify "$work/run.capsule" --model tiny
rm -rf "$work"
