#!/usr/bin/env bash
# lazycim's Digest against lighttpd's mod_auth, by MD5 and by SHA-256: behind it stands one answer in CIM-XML.
set -euo pipefail

command -v lighttpd >/dev/null || { printf 'lighttpd is not installed\n' >&2; exit 77; }
work=$(mktemp -d)
server=
stopped() { [ -z "$server" ] || { kill "$server" && tail --pid="$server" -f /dev/null; }; server=; }
trap 'stopped; rm -rf "$work"' EXIT

cat >"$work/answer.sh" <<'SH'
#!/bin/sh
cat >/dev/null
printf 'Content-Type: application/xml; charset="utf-8"\r\nCIMOperation: MethodResponse\r\n\r\n'
cat <<'XML'
<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1001" PROTOCOLVERSION="1.0"><SIMPLERSP><IMETHODRESPONSE NAME="EnumerateClassNames"><IRETURNVALUE><CLASSNAME NAME="Behind_Lighttpd"/></IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>
XML
SH
chmod +x "$work/answer.sh"
realm='lab one'
hashed() { printf '%s:%s:%s' "$LAZYCIM_PEER_USER" "$realm" "$LAZYCIM_PEER_PASSWORD" | "$1" | cut -d ' ' -f 1; }

# served ALGORITHM SUM: lighttpd on a free port, at $url.
served() {
    local port
    # A port nobody has now; lighttpd cannot be asked for any free one.
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf '%s:%s:%s\n' "$LAZYCIM_PEER_USER" "$realm" "$(hashed "$2")" >"$work/users"
    cat >"$work/conf" <<CONF
server.modules = ("mod_auth", "mod_authn_file", "mod_cgi", "mod_alias")
server.document-root = "$work"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$work/log"
server.pid-file = "$work/pid"
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "$work/users"
auth.require = ("/" => ("method" => "digest", "realm" => "$realm", "require" => "valid-user", "algorithm" => "$1"))
alias.url = ("/cimom" => "$work/answer.sh")
cgi.assign = (".sh" => "")
CONF
    # It goes into the background by itself, once it listens.
    lighttpd -f "$work/conf"
    server=$(cat "$work/pid")
    url="cimxml+http://127.0.0.1:$port/cimom"
}

for algorithm in "MD5 md5sum" "SHA-256 sha256sum"; do
    read -r name sum <<<"$algorithm"
    served "$name" "$sum"
    for auth in digest auto; do
        arguments=(--url "$url" --user "$LAZYCIM_PEER_USER" --password-env LAZYCIM_PEER_PASSWORD --auth "$auth" -v)
        told=$("$LAZYCIM_PROGRAM" "${arguments[@]}" classes 2>"$work/told") || { cat "$work/told" >&2; exit 1; }
        grep -q Behind_Lighttpd <<<"$told"
        grep -q 'authenticate.* Digest' "$work/told" || { cat "$work/told" >&2; exit 1; }
    done
    if WRONG=wrong "$LAZYCIM_PROGRAM" --url "$url" --user "$LAZYCIM_PEER_USER" --password-env WRONG --auth digest classes >"$work/told" 2>&1; then
        printf 'lighttpd let a wrong password in\n' >&2
        exit 1
    fi
    grep -q 'refused user and password by Digest' "$work/told" || { cat "$work/told" >&2; exit 1; }
    stopped
done
printf 'lighttpd: Digest by MD5 and by SHA-256, offered alone\n'
