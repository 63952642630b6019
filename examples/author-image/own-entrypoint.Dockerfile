# An ENTRYPOINT of one's own replaces the base's. Python locks itself all the same: both doors are in
# the interpreter. PYTHONHASHSEED then costs one restart of the interpreter, which keeps its process id.
ARG REPRO_BASE=conference/repro-base
FROM ${REPRO_BASE}

COPY train.py warmup.py /submission/
ENTRYPOINT ["python", "train.py"]
CMD []
