#!/bin/sh
# Regenerate cpu.lock, gpu.lock, their constraints, dev.lock, programs.lock and crate.lock from the
# inputs beside this file.
set -eu

usage() {
    cat <<'END'
Usage: version-lock/lock.sh [--check]

Resolves requirements.in, requirements-gpu.in, dev.in, programs.in and crate.in, as the package
index stood on the day in the file `day`, into cpu.lock, constraints.txt, gpu.lock,
constraints-gpu.txt, dev.lock, programs.lock and crate.lock. Either all seven are replaced or none.
Same inputs, same bytes.

  --check   replace nothing; print the difference and exit with 1 if there is one
  --help    print this

Environment:
  UV              the uv to use (default: uv from PATH)
  UV_FIND_LINKS   a folder or page with PyTorch's CPU wheel (default: PIP_FIND_LINKS)
END
}

fail() {
    echo "lock.sh: $*" >&2
    exit 1
}

check=no
case ${1-} in
    '') ;;
    --check) check=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
uv=${UV:-uv}
command -v "$uv" > /dev/null || fail "no uv at '$uv'; install dev.lock or set UV to its path"
wanted_uv=$(sed -n 's/^uv==//p' "$here/dev.in")
given_uv=$("$uv" --version | cut -d ' ' -f 2)
# Not an error: another uv mostly writes the same bytes, and --check shows it where it does not.
[ "$given_uv" = "$wanted_uv" ] || echo "lock.sh: note: uv is $given_uv, dev.in names $wanted_uv" >&2

# uv does not read pip's variables; a machine that has told pip where torch lies need not say it twice.
if [ -z "${UV_FIND_LINKS-}" ] && [ -n "${PIP_FIND_LINKS-}" ]; then
    UV_FIND_LINKS=$(echo "$PIP_FIND_LINKS" | tr -s ' ' ',')
    export UV_FIND_LINKS
fi

day=$(cat "$here/day")
case $day in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;;
    *) fail "version-lock/day holds '$day', must hold one date such as 2026-11-20" ;;
esac

# Beside the results, so that the last step is a rename and not a copy that can stop half-way.
work=$(mktemp -d "$here/.lock.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT PIPE TERM
cp "$here/requirements.in" "$here/requirements-gpu.in" "$here/dev.in" \
    "$here/programs.in" "$here/crate.in" "$here/overrides.txt" "$here/overrides-gpu.txt" "$work"

# uv takes the machines to resolve for from a pyproject.toml in the working directory and nowhere else.
machines() {
    folder=$work/$1
    shift
    mkdir "$folder"
    {
        echo '[tool.uv]'
        echo 'environments = ['
        for machine; do
            echo "  \"sys_platform == 'linux' and platform_machine == '$machine'$python\","
        done
        echo ']'
    } > "$folder/pyproject.toml"
}
python=''
machines both x86_64 aarch64
machines x86_64 x86_64
# Some of these packages, and torch, have no wheel for Pythons to come, for which uv would look.
python=" and python_full_version < '3.12'"
machines both-3.11 x86_64 aarch64
machines x86_64-3.11 x86_64

# - into a new file: uv keeps the hashes of one that it finds, and the result would depend on it;
# - fewest: else uv forks where a package drops Python 3.11 and writes two lines for it;
# - no index and no folder is written: the locks must serve behind any mirror.
resolve() {
    machine=$1 input=$2 output=$3
    shift 3
    echo "lock.sh: $input -> $output, as of $day" >&2
    (
        cd "$work/$machine"
        "$uv" pip compile "../$input" --output-file "../$output" --quiet \
            --universal --fork-strategy fewest --python-version 3.11 \
            --generate-hashes --only-binary :all: --exclude-newer "$day" \
            --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$@"
    ) || fail "uv could not resolve $input; if it names torch, set UV_FIND_LINKS to a folder or page with PyTorch's CPU wheel; nothing was changed"
}

# The line is written for both machines with the recorded hashes, for the reason that torch-cpu.sha256 gives.
pin_torch() {
    awk '
        FNR == NR { if ($1 !~ /^#/) { order[++count] = $1; hash[$1] = $2 }; next }
        /^torch==/ { print $1 " \\"; inside = 1; seen = 1; next }
        inside && /^ / { if (index($0, hash["x86_64"])) matched = 1; next }
        inside { emit(); inside = 0 }
        { print }
        function emit(  i) {
            for (i = 1; i <= count; i++)
                print "    --hash=sha256:" hash[order[i]] (i < count ? " \\" : "")
        }
        END { if (inside) emit(); exit !(seen && matched) }
    ' "$here/torch-cpu.sha256" "$work/resolved.lock" > "$work/cpu.lock" ||
        fail "the torch wheel that uv found is not the x86_64 one of torch-cpu.sha256; record the new hashes there; nothing was changed"
}

# The markers that uv writes for these machines name aarch64 alone, x86_64 alone, both, or none.
# tests/version_lock evaluates them properly and compares.
write_constraints() {
    {
        echo "# What pip may not move: every pin of $1 for CPython 3.11 on x86_64 Linux. Written by lock.sh."
        echo "# $1 sha256:$(sha256sum < "$work/$1" | cut -d ' ' -f 1)"
        grep '^[A-Za-z0-9]' "$work/$1" | grep -v "^[^;]*;[^x]*'aarch64' and" |
            sed 's/[ ;\\].*//' | LC_ALL=C sort
    } > "$work/$2"
}

resolve both requirements.in resolved.lock --override ../overrides.txt
pin_torch
write_constraints cpu.lock constraints.txt
resolve both-3.11 dev.in dev.lock --constraint ../constraints.txt
# Without torch, whose hashes need pin_torch; the environment has it from cpu.lock.
resolve x86_64-3.11 programs.in programs.lock --constraint ../constraints.txt --constraint ../dev.lock \
    --override ../overrides.txt --no-emit-package torch
# In an environment of its own, so under no other lock.
resolve x86_64-3.11 crate.in crate.lock
resolve x86_64 requirements-gpu.in gpu.lock --override ../overrides-gpu.txt
write_constraints gpu.lock constraints-gpu.txt

# Constraints go last: they hold their lock's digest, so a stop between two renames fails a test.
results='dev.lock programs.lock crate.lock gpu.lock constraints-gpu.txt cpu.lock constraints.txt'
changed=no
for result in $results; do
    grep -q '^[a-z].*==' "$work/$result" || fail "$result came out without a pin; nothing was changed"
    if [ "$check" = yes ]; then
        diff -uN "$here/$result" "$work/$result" || changed=yes
    fi
done
if [ "$check" = yes ]; then
    [ "$changed" = no ] || fail "the locks are not what their inputs give; run 'make lock' and review the difference"
    echo "lock.sh: the locks and constraints are what their inputs give" >&2
    exit 0
fi

for result in $results; do
    sync "$work/$result"
done
for result in $results; do
    mv -f "$work/$result" "$here/$result"
done
sync "$here"
echo "lock.sh: wrote $results" >&2
