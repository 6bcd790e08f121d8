# cascade-origin and cascade-edge: docker build -t cascade .
# The programs have Swift's libraries in them; OpenSSL, libsrtp2, libcurl and c-ares stay Debian's, so that its security updates
# come with a new build.
FROM docker.io/library/swift:6.2-bookworm AS build
# hadolint ignore=DL3008 # a stable release has only updates to offer
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        binutils libc-ares-dev libcurl4-openssl-dev libsrtp2-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN swift build -c release --static-swift-stdlib --product origin \
    && swift build -c release --static-swift-stdlib --product edge \
    && PROGRAMS="origin edge" DESTDIR=/install deploy/development/install.sh "$(swift build -c release --show-bin-path)"

FROM docker.io/library/debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libc-ares2 libcurl4 libsrtp2-1 libssl3 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /install/usr/local/bin/ /usr/local/bin/
# Nobody; ports are above 1024.
USER 65532:65532
WORKDIR /etc/cascade
CMD ["cascade-edge", "--help"]
