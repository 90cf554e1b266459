#!/usr/bin/env bash
# lazycim and a real Secret Service: gnome-keyring on a session bus of its own, with a home of its own. A password is kept, used over
# CIM-XML and WS-Man, refused where it is wrong, forgotten; a locked keyring and none at all are told.
set -euo pipefail

for command in dbus-run-session dbus-send gdbus gnome-keyring-daemon; do
    command -v "$command" >/dev/null || { printf '%s is not installed\n' "$command" >&2; exit 77; }
done
if [ -z "${LAZYCIM_PEER_ON_BUS:-}" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -m 700 "$work/run"
    # Nobody is to be asked anything on this computer's own screen.
    unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
    export LAZYCIM_PEER_ON_BUS=$work HOME=$work XDG_RUNTIME_DIR=$work/run XDG_DATA_HOME=$work/data XDG_CACHE_HOME=$work/cache
    dbus-run-session -- bash "$0" 2>"$work/bus" || { cat "$work/bus" >&2; exit 1; }
    exit
fi
work=$LAZYCIM_PEER_ON_BUS

port=${LAZYCIM_PEER_URL##*:}
port=${port%%/*}
export LAZYCIM_CONFIG_DIR=$work/config
mkdir "$LAZYCIM_CONFIG_DIR"
for protocol in cimxml wsman; do
    printf '[[session]]\nid = "%s"\ncomputer = "127.0.0.1"\nprotocol = "%s"\nport = %s\ntls = { use = false }\n' $protocol $protocol "$port"
    printf 'auth = { user = "%s", secret = "keyring" }\n' "$LAZYCIM_PEER_USER"
done >"$LAZYCIM_CONFIG_DIR/sessions.toml"

# says TEXT CODE COMMAND...: the program ends with CODE and says TEXT on stdout or stderr, and nowhere the password.
says() {
    local text=$1 code=$2 ended=0
    shift 2
    "$LAZYCIM_PROGRAM" "$@" >"$work/told" 2>&1 || ended=$?
    if [ "$ended" -ne "$code" ] || ! grep -q -- "$text" "$work/told" || grep -qF -- "$LAZYCIM_PEER_PASSWORD" "$work/told"; then
        printf '%s ended with %s, expected %s and "%s":\n' "$*" "$ended" "$code" "$text" >&2
        cat "$work/told" >&2
        exit 1
    fi
}

# A keyring that is unlocked by a password of its own; the wait is over once it answers on the bus.
printf 'unlocked' | gnome-keyring-daemon --unlock --components=secrets >"$work/daemon"
timeout 30 gdbus wait --session org.freedesktop.secrets

says 'the keyring has no password' 2 -s wsman namespaces
says 'nothing is forgotten' 2 sessions secret forget wsman
printf 'wrong\n' | says 'the keyring has the password' 0 sessions secret set wsman
says 'refused user and password' 1 -s wsman namespaces
printf '%s\n' "$LAZYCIM_PEER_PASSWORD" | says 'the keyring has the password' 0 sessions secret set wsman
# The same user on the same server: one entry, whatever the protocol.
for session in wsman cimxml; do
    says 'root/cimv2' 0 -s $session namespaces
done
grep -rqaF -- "$LAZYCIM_PEER_PASSWORD" "$LAZYCIM_CONFIG_DIR" "$XDG_DATA_HOME" && { printf 'the password is on disk in the clear\n' >&2; exit 1; }
says 'no password of' 0 sessions secret forget wsman
says 'the keyring has no password' 2 -s cimxml namespaces

printf '%s\n' "$LAZYCIM_PEER_PASSWORD" | says 'the keyring has the password' 0 sessions secret set cimxml
service=(dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets)
"${service[@]}" org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >"$work/locked"
says 'the keyring is locked' 2 -s wsman namespaces
printf 'other\n' | says 'the keyring is locked' 2 sessions secret set wsman
says 'the keyring is locked' 2 sessions secret forget wsman

DBUS_SESSION_BUS_ADDRESS=unix:path=$work/nowhere says 'no keyring answers' 2 -s wsman namespaces
printf 'gnome-keyring: a password kept, used, refused, forgotten; locked and absent keyrings told\n'
