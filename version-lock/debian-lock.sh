#!/bin/sh
# Print version-lock/debian.lock: every Debian package that the image adds to its base, with its hash.
#
# Run it inside the base, because the closure is relative to what the base already has:
#
#     base=$(python3 -m tests.image.engine base)
#     docker run --rm -v "$PWD/version-lock:/lock:ro" "$base" sh /lock/debian-lock.sh > build/debian.lock
#     diff version-lock/debian.lock build/debian.lock; mv build/debian.lock version-lock/
#
# Review what changed: a package that came or went is as important as a new version.
set -eu

# libgomp1, libquadmath0: libmxnet.so links both and its wheel carries neither.
# python3.11-venv: without it an author can't make a virtual environment of their own.
# tini: PID 1 must pass signals on and reap orphans, which neither sh nor python does.
# ca-certificates: an author's own download steps need it.
wanted="python3.11 python3.11-venv libgomp1 libquadmath0 tini ca-certificates"

# The release itself, not its security or updates suite: what a release holds stays downloadable in
# that version; what a security suite holds goes with the next advisory, and the lock with it.
suite=bookworm

apt-get -qq update >&2

# No pipe from apt-get: sh would not see it fail, and a lock cut short looks like a lock.
# shellcheck disable=SC2086  # the list is meant to be split
plan=$(apt-get -qq install --simulate --no-install-recommends --target-release "$suite" $wanted)

lock=$(
  printf '%s\n' "$plan" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' | LC_ALL=C sort |
    while read -r pin; do
      record=$(apt-cache show "$pin")
      printf '%s\n' "$record" | awk -v pin="$pin" '
        $1 == "Package:" { name = $2 }
        $1 == "Version:" { version = $2 }
        $1 == "Architecture:" { arch = $2 }
        $1 == "SHA256:" { hash = $2 }
        END {
          if (name "=" version != pin || hash == "") {
            print "no hash for " pin > "/dev/stderr"
            exit 1
          }
          gsub(":", "%3a", version)  # as apt-get download spells an epoch in a file name
          printf "%s  %s_%s_%s.deb\n", hash, name, version, arch
        }'
    done
)

cat <<'HEADER'
# Debian packages that the image adds to its base, as `sha256  file`: the file's name holds name and version.
# Written by version-lock/debian-lock.sh, which says how to refresh it; do not edit.
HEADER
printf '%s\n' "$lock"
