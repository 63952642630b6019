#!/bin/sh
# MXNet's wheel needs two of GCC's run-time libraries that it does not carry (version-lock.md):
# install them where that is possible, say how where it is not.
set -eu
missing=""
for library in libgomp.so.1 libquadmath.so.0; do
    if ! { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q "$library"; then
        missing="$missing $library"
    fi
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    exec apt-get install -y -qq --no-install-recommends libgomp1 libquadmath0
fi
echo "make: MXNet needs$missing; install them, on Debian by: sudo apt-get install libgomp1 libquadmath0" >&2
exit 1
