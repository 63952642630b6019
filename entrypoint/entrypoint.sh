#!/bin/sh
# What runs before Python in the image: checks the REPRO_* variables, sets PYTHONHASHSEED, which
# only counts before an interpreter starts, and becomes the command. Says the same line and ends
# with the same status (78) as seedlock/startup.py would; tests/test_entrypoint.py compares them.
set -eu

if [ -z "${REPRO_SEED+set}" ]; then
    exec "$@"
fi

refuse() { # name, given, allowed, cure, slug
    given=$(printf '%s' "$2" | LC_ALL=C tr -c ' -~' '?' | cut -c1-40)
    printf "seedlock: %s is '%s'; allowed: %s; %s [docs/messages.md#%s]\n" \
        "$1" "$given" "$3" "$4" "$5" >&2
    exit 78
}

choice() { # name, given, allowed (comma-separated), default, slug
    case ",$3," in
    *",$2,"*) case $2 in '' | *,*) ;; *) return ;; esac ;;
    esac
    refuse "$1" "$2" "$(printf '%s' "$3" | sed 's/,/, /g')" "set it like $1=$4 or unset it" "$5"
}

bad_seed() {
    refuse REPRO_SEED "$REPRO_SEED" \
        "a decimal integer from 0 to 18446744073709551615 without sign, spaces or leading zeros" \
        "set it like REPRO_SEED=7" bad-seed
}

# above DIGITS LIMIT: is the first decimal number the larger one? They may exceed the shell's
# integers, so equal lengths are compared as text.
above() {
    [ ${#1} -gt ${#2} ] || { [ ${#1} -eq ${#2} ] && [ "$(printf '%s\n%s\n' "$1" "$2" | LC_ALL=C sort | tail -n 1)" != "$2" ]; }
}

# number TEXT: is it a decimal number of at most nine digits?
number() {
    case $1 in '' | *[!0123456789]* | ??????????*) return 1 ;; esac
}

case $REPRO_SEED in
'' | *[!0123456789]* | 0?*) bad_seed ;;
esac
if above "$REPRO_SEED" 18446744073709551615; then bad_seed; fi
choice REPRO_LEVEL "${REPRO_LEVEL-strict}" seed,warn,strict,portable,watch strict bad-level
choice REPRO_STREAMS "${REPRO_STREAMS-derived}" derived,same derived bad-streams
choice REPRO_LOCK "${REPRO_LOCK-refuse}" refuse,warn refuse bad-lock
choice REPRO_TF32 "${REPRO_TF32-keep}" keep,off keep bad-tf32
choice REPRO_USER_SEEDS "${REPRO_USER_SEEDS-mix}" mix,keep,refuse mix bad-user-seeds
choice REPRO_ENTROPY "${REPRO_ENTROPY-count}" count,lock count bad-entropy
choice REPRO_ENTROPY_ALLOW "${REPRO_ENTROPY_ALLOW-ssl}" ssl ssl bad-entropy
if [ "${REPRO_STREAMS-derived}" = same ] && above "$REPRO_SEED" 4294967295; then
    refuse REPRO_SEED "$REPRO_SEED" "a seed from 0 to 4294967295 when REPRO_STREAMS is same" \
        "take a smaller seed or leave REPRO_STREAMS unset" bad-streams
fi
case ${REPRO_LEVEL-strict} in seed | watch)
    if [ "${REPRO_TF32-keep}" = off ]; then
        refuse REPRO_TF32 off "keep at levels seed and watch, which set no flags" \
            "choose level warn or strict, or leave REPRO_TF32 unset" bad-tf32
    fi
    ;;
esac
threads=${REPRO_THREADS-4}
case $threads in 0*) number= ;; *) number=$threads ;; esac
if ! number "$number" || [ "$number" -gt 1024 ]; then
    refuse REPRO_THREADS "$threads" \
        "a decimal integer from 1 to 1024 without sign, spaces or leading zeros" \
        "set it like REPRO_THREADS=4 or unset it" bad-threads
fi
if [ -n "${REPRO_THREADS+set}" ] && [ "${REPRO_LEVEL-strict}" != portable ]; then
    refuse REPRO_THREADS "$threads" "a number at level portable only" \
        "set REPRO_LEVEL=portable or unset it" bad-threads
fi
if [ -n "${REPRO_LEAST_DRIVER+set}" ]; then
    case $REPRO_LEAST_DRIVER in
    '' | *[!0123456789.]* | .* | *. | *..*)
        refuse REPRO_LEAST_DRIVER "$REPRO_LEAST_DRIVER" \
            "a version of NVIDIA's driver: numbers with dots between them" \
            "set it like REPRO_LEAST_DRIVER=525.60.13 or unset it" bad-driver
        ;;
    esac
fi
if [ -n "${REPRO_TRACE+set}${REPRO_TRACE_STEPS+set}${REPRO_TRACE_VALUES+set}" ]; then
    choice REPRO_TRACE "${REPRO_TRACE-step}" step,op step bad-trace
    steps=${REPRO_TRACE_STEPS-}
    values=${REPRO_TRACE_VALUES-0}
    first=${steps%%:*}
    end=${steps#*:}
    if [ -n "$steps" ] && ! { [ "$steps" != "$first" ] && number "$first" && number "$end" && [ "$first" -lt "$end" ]; }; then
        refuse REPRO_TRACE_STEPS "$steps" "two step numbers, the second larger and not included, as 12:14" \
            "set it like REPRO_TRACE_STEPS=12:14" bad-trace
    fi
    if ! number "$values"; then
        refuse REPRO_TRACE_VALUES "$values" "a number of MiB, 0 or more" \
            "set it like REPRO_TRACE_VALUES=256" bad-trace
    fi
    if [ -n "${REPRO_TRACE+set}" ] && [ -z "${REPRO_REPORT-}" ]; then
        refuse REPRO_TRACE "$REPRO_TRACE" "with REPRO_REPORT only" \
            "set REPRO_REPORT to a folder, which gets the trace too, or unset REPRO_TRACE" bad-trace
    fi
fi
if [ -n "${REPRO_READS+set}" ]; then
    choice REPRO_READS "$REPRO_READS" list list bad-reads
    if [ -z "${REPRO_REPORT-}" ]; then
        refuse REPRO_READS list "with REPRO_REPORT only" \
            "set REPRO_REPORT to a folder, or unset REPRO_READS" bad-reads
    fi
fi
if [ -n "${REPRO_REPORT-}" ]; then
    if ! { mkdir -p -- "$REPRO_REPORT" && [ -w "$REPRO_REPORT" ] && [ -x "$REPRO_REPORT" ]; } 2>/dev/null; then
        refuse REPRO_REPORT "$REPRO_REPORT" \
            "a folder that this user can write, or one that can be made" \
            "choose another folder or unset it" report-folder
    fi
fi

# What follows locks; level watch does not.
if [ "${REPRO_LEVEL-strict}" = watch ]; then
    exec "$@"
fi

# The derivation of seedlock/derivation.py for the path library, python, hash: the first 32 bits of
# SHA-256 over tagged netstrings.
if [ "${REPRO_STREAMS-derived}" = same ]; then
    PYTHONHASHSEED=$REPRO_SEED
else
    digest=$(printf '10:seedlock/1,%d:%s#7:library,6:python,4:hash,' "${#REPRO_SEED}" "$REPRO_SEED" | sha256sum)
    PYTHONHASHSEED=$(printf '%d' "0x$(printf '%s' "$digest" | cut -c1-8)")
fi
_SEEDLOCK_HASH_SEED="$REPRO_SEED ${REPRO_STREAMS-derived} $PYTHONHASHSEED"
export PYTHONHASHSEED _SEEDLOCK_HASH_SEED

# What only Python can say, a broken adapter or a framework that is not the locked one, it says
# before the command starts: under -E it takes no note from here and looks at everything.
if command -v python >/dev/null 2>&1; then
    env -u REPRO_REPORT -u REPRO_READS -u REPRO_TRACE -u REPRO_TRACE_STEPS -u REPRO_TRACE_VALUES \
        python -E -c pass </dev/null || [ $? -ne 78 ] || exit 78
fi

# The order of sets of plain objects follows their addresses. Where the kernel refuses, the report
# says so. setarch becomes the command too; one that is not there must be missed by this shell.
if setarch "$(uname -m)" -R true >/dev/null 2>&1 && command -v "${1-}" >/dev/null 2>&1; then
    exec setarch "$(uname -m)" -R -- "$@"
fi
exec "$@"
