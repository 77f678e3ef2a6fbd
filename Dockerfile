# Two images from one recipe: `server` runs the tracking server and its Jobs, `operator` runs the operator.
# Build with BuildKit. Where a private authority signs the package registry's certificate:
#   docker build --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt --target server .

FROM debian:trixie-slim AS python
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/log/*

# pip and the build backend, in an environment of their own: neither reaches an image.
FROM python AS tools
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all:
WORKDIR /source
COPY requirements/build.txt requirements/
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
 && python3 -m venv /tools \
 && /tools/bin/pip install --require-hashes -r requirements/build.txt

FROM tools AS wheel
COPY LICENSE README.md pyproject.toml ./
COPY crds crds
COPY operator operator
COPY tracking tracking
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

FROM tools AS server-environment
COPY requirements/server.txt requirements/
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
 && python3 -m venv --without-pip /opt/trackplane \
 && /tools/bin/pip --python /opt/trackplane/bin/python install --require-hashes -r requirements/server.txt
COPY --from=wheel /wheel /wheel
RUN /tools/bin/pip --python /opt/trackplane/bin/python install --no-deps --no-index /wheel/*.whl \
 && rm /opt/trackplane/bin/trackplane-operator

FROM tools AS operator-environment
COPY requirements/operator.txt requirements/
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
 && python3 -m venv --without-pip /opt/trackplane \
 && /tools/bin/pip --python /opt/trackplane/bin/python install --require-hashes -r requirements/operator.txt
COPY --from=wheel /wheel /wheel
RUN /tools/bin/pip --python /opt/trackplane/bin/python install --no-deps --no-index /wheel/*.whl \
 && rm /opt/trackplane/bin/trackplane

# Any uid may run it, also one that no file names: libraries ask the environment who runs them. The root file system may be
# read-only; HOME is the one folder that a pod always makes writable.
FROM python AS runtime
ENV PATH=/opt/trackplane/bin:/usr/bin:/bin USER=trackplane HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.vendor=Trackplane

FROM runtime AS server
COPY --from=server-environment /opt/trackplane /opt/trackplane
EXPOSE 5000
ENTRYPOINT ["trackplane"]
CMD ["server"]
LABEL org.opencontainers.image.title=trackplane-server \
      org.opencontainers.image.description="MLflow-compatible tracking server: serves, migrates, backs up and collects"

FROM runtime AS operator
COPY --from=operator-environment /opt/trackplane /opt/trackplane
ENTRYPOINT ["trackplane-operator"]
CMD ["run"]
LABEL org.opencontainers.image.title=trackplane-operator \
      org.opencontainers.image.description="Kubernetes operator for tracking servers"
