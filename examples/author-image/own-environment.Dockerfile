# A virtual environment of one's own, with the base's frameworks and packages on top. pip adds what it
# likes but can't move a locked version; it would say which constraint is in the way.
ARG REPRO_BASE=conference/repro-base
FROM ${REPRO_BASE}

USER root
RUN python -m venv --system-site-packages /opt/author
ENV PATH=/opt/author/bin:$PATH
# --no-build-isolation takes the base's setuptools, so that building needs no network.
RUN --mount=type=bind,target=/mnt \
    cp -r /mnt /tmp/warmup && \
    pip install --no-cache-dir --no-build-isolation /tmp/warmup && \
    rm -r /tmp/warmup
USER repro
COPY train.py /submission/
CMD ["python", "train.py"]
