# A user of one's own: nothing that the lock needs belongs to the base's user.
ARG REPRO_BASE=conference/repro-base
FROM ${REPRO_BASE}

USER root
RUN useradd --uid 2000 --create-home author
USER author
WORKDIR /home/author
ENV HOME=/home/author
COPY train.py warmup.py /home/author/
CMD ["python", "train.py"]
