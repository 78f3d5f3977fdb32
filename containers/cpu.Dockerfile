# syntax=docker/dockerfile:1
# edgeval on a CPU: x86-64 or 64-bit ARM.
#
#   docker build -f containers/cpu.Dockerfile -t edgeval:cpu .
#
# Every step is a script in containers/steps; after fetch.sh nothing needs a network, also not at run time.
FROM debian:bookworm-slim AS build
COPY containers/steps/ /steps/
RUN /steps/packages.sh build
COPY containers/locks/build.txt containers/locks/cpu.txt /locks/
RUN /steps/fetch.sh build cpu
COPY . /src
RUN --network=none /steps/install.sh cpu

FROM debian:bookworm-slim
COPY containers/steps/ /steps/
RUN /steps/packages.sh run
COPY --from=build /opt/edgeval /opt/edgeval
RUN --network=none /steps/user.sh
USER 10001:10001
WORKDIR /runs
RUN --network=none /steps/prove.sh
ENTRYPOINT ["/opt/edgeval/bin/edgeval", "run"]
