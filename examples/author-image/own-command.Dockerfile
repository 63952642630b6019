# The plain case: files and a command. The base's ENTRYPOINT checks the seed and starts it.

# Here a conference names its image by digest; a name alone is what `make image` built on this machine.
ARG REPRO_BASE=conference/repro-base
FROM ${REPRO_BASE}

COPY train.py warmup.py /submission/
CMD ["python", "train.py"]
