# The endpoint: jail-policyd as an ordinary user, serving what was published to /srv/policy.
#
#   docker build -t clusterjail-endpoint .
#   docker run -d -p 8480:8480 -v /srv/clusterjail:/srv/policy:ro clusterjail-endpoint
#
# Any Debian from 11 on can be the base of both stages.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake dpkg-dev file gcc libc6-dev libcjson-dev libcurl4-openssl-dev libinih-dev \
      libmicrohttpd-dev libpam0g-dev libssl-dev make pkg-config
COPY . /src
RUN cmake -S /src -B /build -DCLUSTERJAIL_TESTS=OFF \
 && cmake --build /build -j "$(nproc)" \
 && cd /build && cpack -G DEB \
 && mkdir /package && mv clusterjail-endpoint_*.deb /package/endpoint.deb

FROM ${BASE_IMAGE}
COPY --from=build /package/endpoint.deb /tmp/endpoint.deb
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /tmp/endpoint.deb \
 && rm -f /tmp/endpoint.deb && apt-get clean && find /var/lib/apt/lists -type f -delete \
 && mkdir -p /srv/policy
# A number, so that an orchestrator sees that it is not root; what is published can be read by everybody.
USER 65532:65532
EXPOSE 8480
ENTRYPOINT ["/usr/sbin/jail-policyd", "--dir", "/srv/policy", "--listen", "0.0.0.0:8480"]
