# syntax=docker/dockerfile:1
# edgeval on an NVIDIA GPU in an x86-64 machine. The driver comes from the host (--gpus all).
#
#   docker build -f containers/cuda.Dockerfile -t edgeval:cuda .
#
# Every step is a script in containers/steps; after fetch.sh nothing needs a network, also not at run time.
FROM debian:bookworm-slim AS build
COPY containers/steps/ /steps/
RUN /steps/packages.sh build
COPY containers/locks/build.txt containers/locks/cuda.txt /locks/
RUN /steps/fetch.sh build cuda
COPY . /src
RUN --network=none /steps/install.sh cuda

FROM debian:bookworm-slim
COPY containers/steps/ /steps/
RUN /steps/packages.sh run
COPY --from=build /opt/edgeval /opt/edgeval
RUN --network=none /steps/user.sh
USER 10001:10001
WORKDIR /runs
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN --network=none /steps/prove.sh
ENTRYPOINT ["/opt/edgeval/bin/edgeval", "run"]
