# conference/repro-base, the CPU image: a pinned base, Debian packages and frameworks by hash, seedlock last.
# `make image` builds it; it fetches the wheels into build/ first, so that no step here needs an index.

# Tag for the reader, digest for docker; version-lock/images.lock has the same line and says how to refresh.
ARG BASE_IMAGE=debian:bookworm-20260918-slim@sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251
FROM ${BASE_IMAGE}

# The base's own date. With it, useradd's day number and the like are the same in every build.
ARG SOURCE_DATE_EPOCH=1789689600

# The archive's lists are gone before anything is installed: without them apt can't bring along a package
# that the lock does not name, nor another version; what the lock lacks is an error.
# The versions are the release's, which stay in the archive; the base's security suite may have newer ones.
# Debian's sitecustomize would come back with each upgrade of python3.11, hence the diversion.
# Its .pyc files carry time stamps, so that they differ in every build: compiled anew, by content. -B, here
# and below, keeps compileall's own imports from leaving such files before it comes to them.
# What a step reads is mounted below /dev, which each step has for itself: elsewhere buildah leaves the mount
# points in the layer. -j 0 is worker processes, however many cores there are: in a try, 1, 2, 3 and 8 of them
# wrote equal .pyc files, and no worker (-j 1) wrote five of them otherwise.
RUN --mount=type=bind,source=version-lock/debian.lock,target=/dev/debian.lock \
    --mount=type=tmpfs,target=/dev/debs \
    set -eu; \
    if [ "$(dpkg --print-architecture)" != amd64 ]; then \
        echo "this image is for amd64 only (MXNet has no wheel that runs elsewhere): build with --platform linux/amd64" >&2; \
        exit 1; \
    fi; \
    grep -v '^#' /dev/debian.lock > /dev/debs/SHA256SUMS; \
    apt-get -qq update; \
    sed -E 's/^[0-9a-f]{64}  ([^_]+)_([^_]+)_[^_]+$/\1=\2/; s/%3a/:/g' /dev/debs/SHA256SUMS > /dev/debs/pins; \
    env --chdir=/dev/debs xargs --arg-file=pins apt-get -qq -o APT::Sandbox::User=root download; \
    env --chdir=/dev/debs sha256sum --quiet --strict --check SHA256SUMS; \
    rm -rf /var/lib/apt/lists/*; \
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes /dev/debs/*.deb; \
    dpkg-divert --quiet --local --rename --add /usr/lib/python3.11/sitecustomize.py; \
    find /usr -name __pycache__ -prune -exec rm -r {} +; \
    python3.11 -B -m compileall -q -j 0 --invalidation-mode unchecked-hash /usr/lib/python3.11; \
    rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache \
        /var/cache/debconf/*-old /var/lib/dpkg/*-old \
        /var/log/alternatives.log /var/log/apt /var/log/bootstrap.log /var/log/dpkg.log

# --no-deps because the lock is complete and MXNet's own bound (numpy<2) can't be met; see version-lock/.
# Without baked .pyc files each container start would compile the frameworks anew: in a try, import tensorflow
# took 11.7 s instead of 3.7.
# The excluded file is Python 3.12 syntax, which torch imports there only.
ARG LOCK_SHA256
RUN --mount=type=bind,source=version-lock/cpu.lock,target=/dev/cpu.lock \
    --mount=type=bind,source=build/wheels,target=/dev/wheels \
    set -eu; \
    if [ "$(sha256sum < /dev/cpu.lock)" != "${LOCK_SHA256}  -" ]; then \
        echo "LOCK_SHA256 is '${LOCK_SHA256}' but version-lock/cpu.lock has $(sha256sum < /dev/cpu.lock); build with make image" >&2; \
        exit 1; \
    fi; \
    python3.11 -m venv /opt/repro/venv; \
    /opt/repro/venv/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check \
        --no-index --find-links=/dev/wheels --require-hashes --no-deps --only-binary :all: -r /dev/cpu.lock; \
    find /opt/repro/venv -name __pycache__ -prune -exec rm -r {} +; \
    /opt/repro/venv/bin/python -B -W ignore::SyntaxWarning -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/torch/testing/_internal/py312_intrinsics\.py$' /opt/repro/venv/lib

# What lies around the frameworks. In order:
# - pip may add packages to the lock but not move a locked one, whoever calls it and in whichever environment;
#   it finds seedlock's wheel for an author's own virtual environment, and leaves no cache in their layers;
# - the locks stay with what was made from them, for `seedlock manifest`;
# - MXNet 1.9.1 predates NumPy 2: its compatibility layer goes where mxnet itself looks for one first;
# - Debian's own interpreter, and so each virtual environment made with --system-site-packages, sees the
#   frameworks too. The test keeps our own virtual environment from reading its .pth files twice;
# - /output is open to every uid, because --user may name any; so is the home folder, where frameworks keep
#   their settings files.
ARG REPRO_UID=1000
RUN --mount=type=bind,source=version-lock,target=/dev/version-lock \
    set -eu; \
    site=/opt/repro/venv/lib/python3.11/site-packages; \
    install -m 0644 /dev/version-lock/constraints.txt /opt/repro/constraints.txt; \
    install -D -m 0644 -t /opt/repro/locks /dev/version-lock/cpu.lock /dev/version-lock/debian.lock; \
    printf '%s\n' '[global]' 'constraint = /opt/repro/constraints.txt' 'find-links = /opt/repro/wheels' \
        'no-cache-dir = true' > /etc/pip.conf; \
    install -m 0644 /dev/version-lock/mxnet_numpy_compat.py "$site/mxnet/_cy3/ndarray.py"; \
    /opt/repro/venv/bin/python -B -m compileall -q --invalidation-mode unchecked-hash "$site/mxnet/_cy3"; \
    printf "import site, sys; sys.prefix == '/opt/repro/venv' or site.addsitedir('%s')\n" "$site" \
        > /usr/local/lib/python3.11/dist-packages/repro.pth; \
    useradd --uid "$REPRO_UID" --user-group --create-home --shell /bin/bash repro; \
    chmod 1777 /home/repro; \
    install -d -m 0755 /data; \
    install -d -m 1777 /output; \
    install -d -m 0755 -o repro -g repro /submission; \
    rm -f /etc/*-

WORKDIR /submission

# Last, because it changes most: a change to seedlock alone builds this layer and nothing before it.
# sitecustomize.py and its .pyc are links into the package: copies could be older than the seedlock that they
# start, once an author installs another one.
ARG VERSION
RUN --mount=type=bind,source=build/dist,target=/dev/dist \
    set -eu; \
    site=/opt/repro/venv/lib/python3.11/site-packages; \
    stdlib=/usr/lib/python3.11; \
    install -D -m 0644 -t /opt/repro/wheels "/dev/dist/seedlock-$VERSION-py3-none-any.whl"; \
    /opt/repro/venv/bin/pip install --no-compile --disable-pip-version-check --no-index --no-deps \
        "seedlock==$VERSION"; \
    /opt/repro/venv/bin/python -B -m compileall -q --invalidation-mode unchecked-hash "$site/seedlock"; \
    ln -s "$site/seedlock/entrypoint/sitecustomize.py" "$stdlib/sitecustomize.py"; \
    ln -s "$site/seedlock/entrypoint/__pycache__/sitecustomize.cpython-311.pyc" "$stdlib/__pycache__/"; \
    install -m 0755 "$site/seedlock/entrypoint/entrypoint.sh" /opt/repro/entrypoint.sh

# TensorFlow's first information line comes under a heading that begins with WARNING; without it a clean run
# under a seed has a clean log. Without a seed, oneDNN's line still comes.
# Without PYTHONNOUSERSITE, packages below the caller's home folder, which Apptainer mounts, would win over the
# frameworks in Debian's interpreter and in virtual environments that see its packages.
ENV PATH=/opt/repro/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/home/repro \
    LANG=C.UTF-8 \
    TZ=UTC \
    TF_CPP_MIN_LOG_LEVEL=1 \
    PYTHONNOUSERSITE=1 \
    REPRO_LOCK_FILE=/opt/repro/constraints.txt

ARG BASE_IMAGE
ARG REVISION
LABEL org.opencontainers.image.title="repro-base" \
      org.opencontainers.image.description="One outside seed decides every random number: torch, tensorflow, keras, mxnet and jax, locked" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.seedlock.lock.sha256="${LOCK_SHA256}"

USER ${REPRO_UID}
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/repro/entrypoint.sh"]
CMD ["python"]
