# SPDX-License-Identifier: Apache-2.0
# The benchmarks in a container: docs/containers.md says which rights it needs.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates gcc libc6-dev make openjdk-17-jdk-headless && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN ./bench --no-install --version

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
    openjdk-17-jre-headless python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/mitosis-jmh/target/benchmarks.jar /opt/mitosis/benchmarks.jar
ENV LC_ALL=C.UTF-8
WORKDIR /work
ENTRYPOINT ["java", "-jar", "/opt/mitosis/benchmarks.jar"]
CMD ["doctor"]
