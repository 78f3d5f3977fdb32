# syntax=docker/dockerfile:1
# edgeval on a Jetson Orin with JetPack 6 (CUDA 12.6, TensorRT 10.3, Python 3.10: all of the base).
#
#   docker build -f containers/jetpack6.Dockerfile -t edgeval:jetpack6 .
#
# Every step is a script in containers/steps; after fetch.sh nothing needs a network, also not at run time.
FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0 AS build
COPY containers/steps/ /steps/
RUN /steps/packages.sh build
COPY containers/locks/build.txt containers/locks/jetpack6.txt /locks/
RUN /steps/fetch.sh build jetpack6
COPY . /src
RUN --network=none /steps/install.sh jetpack6 --system-site-packages

FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0
COPY containers/steps/ /steps/
RUN /steps/packages.sh run
COPY --from=build /opt/edgeval /opt/edgeval
RUN --network=none /steps/user.sh
USER 10001:10001
WORKDIR /runs
RUN --network=none /steps/prove.sh
ENTRYPOINT ["/opt/edgeval/bin/edgeval", "run"]
