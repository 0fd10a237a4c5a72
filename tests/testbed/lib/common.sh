# shellcheck shell=bash
# Words, errors and an ordered clean-up for the test bed's scripts. Source it; it changes nothing by itself.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename "$0"): $*"
    exit 1
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root: it makes network namespaces"
}

need_commands() {
    local missing=() command
    for command in "$@"; do
        command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || missing+=("$command")
    done
    [ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]} (scripts/setup test installs them)"
}

# Clean-up steps run last in, first out, whatever ended the script; a step that fails does not stop the next.
cleanup_steps=()

at_exit() { cleanup_steps+=("$*"); }

run_cleanup() {
    local index
    trap - EXIT
    trap '' INT TERM HUP PIPE
    for ((index = ${#cleanup_steps[@]} - 1; index >= 0; index--)); do
        eval "${cleanup_steps[index]}" >/dev/null 2>&1 || true
    done
    cleanup_steps=()
}

# An exit status of 130 or 143 for a signal, as a shell gives it.
arm_cleanup() {
    trap run_cleanup EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
}

# Repeats a command every 50 ms until it succeeds: wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}
