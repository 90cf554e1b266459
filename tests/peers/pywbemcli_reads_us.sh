#!/usr/bin/env bash
# pywbemcli loads what `lazycim sessions export` writes, and connects with it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LAZYCIM_CONFIG_DIR=$dir
cli=$PWD/target/peers-venv/bin/pywbemcli
fails() { printf 'pywbemcli: %s\n' "$1" >&2; exit 1; }

port=${LAZYCIM_PEER_URL%/cimom}; port=${port##*:}
cat >"$dir/sessions.toml" <<TOML
[[session]]
id = "yes"
name = "An id that YAML takes for a truth value"
computer = "127.0.0.1"
port = $port
tls = { use = false }
auth = { user = "$LAZYCIM_PEER_USER" }
[[session]]
id = "1e3"
computer = "fe80::1"
namespace = "root/interop"
tls = { use = true, ca_file = "it's \\"x\\".pem" }
auth = { user = 'CORP\\ann: #1' }
[[session]]
id = "web01"
computer = "web01"
protocol = "wsman"
TOML

"$LAZYCIM_PROGRAM" sessions export --format pywbemcli >"$dir/connections.yaml" 2>"$dir/left_out"
grep -q '^not exported: web01: protocol = wsman' "$dir/left_out" || fails "the list says nothing of web01"
list=$("$cli" -o simple -C "$dir/connections.yaml" connection list)
for words in 'yes +http://127.0.0.1:' '1e3 +https://\[fe80::1\]:5989'; do
    grep -Eq "$words" <<<"$list" || fails "connection list lacks $words: $list"
done
show=$("$cli" -C "$dir/connections.yaml" connection show 1e3)
for words in 'default-namespace +root/interop' 'server +https://\[fe80::1\]:5989' 'user +CORP\\ann: #1' "ca-certs +/.*/it's" '"x".pem' 'verify +True' 'timeout +30'; do
    grep -Eq "$words" <<<"$show" || fails "connection show lacks $words: $show"
done
"$cli" -C "$dir/connections.yaml" connection show yes >/dev/null

# What pywbemcli wrote itself comes back to us.
"$cli" -C "$dir/theirs.yaml" -s "http://127.0.0.1:$port" -u "$LAZYCIM_PEER_USER" -p not-the-password connection save theirs
"$LAZYCIM_PROGRAM" sessions import "$dir/theirs.yaml" >"$dir/imported" 2>"$dir/left_out"
grep -q "^theirs  cimxml+http://$LAZYCIM_PEER_USER@127.0.0.1:$port\$" "$dir/imported" || fails "$(cat "$dir/imported")"
grep -q '^not imported: theirs: password' "$dir/left_out" || fails "the list says nothing of the password"
if grep -rq not-the-password "$dir/sessions.toml" "$dir/imported" "$dir/left_out"; then fails "a password came over"; fi

# The variables are those of a session that answers.
eval "$("$LAZYCIM_PROGRAM" sessions export --format pywbemcli-env yes 2>/dev/null)"
export PYWBEMCLI_PASSWORD=$LAZYCIM_PEER_PASSWORD
"$cli" -o plain namespace list | grep -q root/interop || fails "namespace list lacks root/interop"
printf '%s: %s connections\n' "$("$cli" --version | head -1)" "$(grep -c http <<<"$list")"
