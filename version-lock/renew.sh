#!/bin/sh
# Resolve the locks anew, and release them only if the reference models still come to what they did.
set -eu

usage() {
    cat <<'END'
Usage: version-lock/renew.sh

What `make lock` does. Runs lock.sh. Where the locks that the reference models are trained with have
changed, builds their environment, trains the models in it, holds them against the stored
reference, writes the page reference/cpu/what-changed.md, and then stores the new reference. A model
that FAILs ends it with status 1: the new locks stay in place, the stored reference stays that of
the old ones, and a test is red until one of the two has changed.

Environment:
  ACCEPT     why the locks are released although a model FAILs; the page shows it
  MAKE       what builds the environment when it is called with `venv` (default: make)
  SEEDLOCK   the command in that environment (default: build/venv/bin/seedlock)
END
}

case ${1-} in
    '') ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
reference=version-lock/reference
stored=$reference/cpu
before=build/lock/before
measured=build/lock/measured
seedlock=${SEEDLOCK:-build/venv/bin/seedlock}

say() {
    echo "renew.sh: $*" >&2
}

# Whether a measurement was made with the locks as they are.
is_of_these_locks() {
    for lock in cpu.lock programs.lock; do
        digest=$(sha256sum < "version-lock/$lock" | cut -d ' ' -f 1)
        grep -qs "\"$lock\": \"sha256:$digest\"" "$1/reference.json" || return 1
    done
}

# The locks before are those of the stored reference, also where an earlier call has replaced them.
if is_of_these_locks "$stored"; then
    rm -rf "$before"
    mkdir -p "$before"
    for lock in cpu.lock programs.lock gpu.lock dev.lock; do
        cp "version-lock/$lock" "$before"
    done
fi

sh "$here/lock.sh"

if is_of_these_locks "$stored"; then
    for lock in gpu.lock dev.lock; do
        [ ! -e "$before/$lock" ] || cmp -s "version-lock/$lock" "$before/$lock" ||
            say "$lock has changed; no reference model is trained with it"
    done
    say "cpu.lock and programs.lock are those of the stored reference: nothing to train"
    exit 0
fi
if [ ! -e "$stored/reference.json" ]; then
    say "there is no stored reference to hold these locks against; say make reference"
    exit 1
fi

"${MAKE:-make}" venv
if [ -n "${ACCEPT-}" ] && is_of_these_locks "$measured"; then
    say "the models were trained under these locks already"
else
    status=0
    # shellcheck disable=SC2086
    $seedlock reference check "$reference" --work build/lock/work --output "$measured" || status=$?
    case $status in
        0 | 1 | 4) ;;
        *) exit "$status" ;;
    esac
fi

[ ! -d "$before" ] || set -- --locks-before "$before"
[ -z "${ACCEPT-}" ] || set -- "$@" --accept "$ACCEPT"
status=0
# shellcheck disable=SC2086
$seedlock reference page "$reference" --measured "$measured" --store --html build/lock/what-changed.html "$@" || status=$?
case $status in
    0) say "released: commit version-lock/, with $stored" ;;
    1 | 4)
        say "the new locks are in place and not released: $stored is that of the locks before"
        say "to go back: git checkout -- version-lock"
        say "to release them deliberately: make lock ACCEPT='why'"
        ;;
esac
exit "$status"
