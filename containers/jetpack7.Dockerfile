# syntax=docker/dockerfile:1
# edgeval on a Jetson Thor with JetPack 7 (CUDA 13, TensorRT 10.13, Python 3.12: all of the base).
#
#   docker build -f containers/jetpack7.Dockerfile -t edgeval:jetpack7 .
#
# Every step is a script in containers/steps; after fetch.sh nothing needs a network, also not at run time.
FROM nvcr.io/nvidia/tensorrt:25.09-py3 AS build
COPY containers/steps/ /steps/
RUN /steps/packages.sh build
COPY containers/locks/build.txt containers/locks/jetpack7.txt /locks/
RUN /steps/fetch.sh build jetpack7
COPY . /src
RUN --network=none /steps/install.sh jetpack7 --system-site-packages

FROM nvcr.io/nvidia/tensorrt:25.09-py3
COPY containers/steps/ /steps/
RUN /steps/packages.sh run
COPY --from=build /opt/edgeval /opt/edgeval
RUN --network=none /steps/user.sh
USER 10001:10001
WORKDIR /runs
RUN --network=none /steps/prove.sh
ENTRYPOINT ["/opt/edgeval/bin/edgeval", "run"]
