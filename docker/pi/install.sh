#!/bin/sh
# Makes this machine a member of a mesh. It says each step before it takes it, touches only
# what is listed here, and can be run again: what is there already is kept.
#
#   /opt/shoal                          the program
#   /usr/local/bin/shoal                a link to it
#   /etc/shoal/mesh.key                 the key of the mesh; root's alone, 0600
#   /etc/shoal/shoal.toml               settings, if there are none yet
#   /etc/systemd/system/shoal.service   the service; its data is in /var/lib/shoal
#
# No user is made: the service runs as one that exists only while it runs.
set -eu

usage() {
  cat <<'END'
Usage: sudo ./install.sh (--new-key | --key FILE) [--join HOST]... [--explain]

  --new-key     this is the first node: make the key of a new mesh
  --key FILE    the mesh exists: take its key, copied here from another node
  --join HOST   a node to ask first; not needed where all are on one network
  --explain     say what would be done and do nothing

Example, on the second Pi:
  ssh pi-1.local sudo cat /etc/shoal/mesh.key > mesh.key && sudo ./install.sh --key mesh.key
END
}

key= ; new_key=no ; joins= ; explain=no
while [ $# -gt 0 ]; do
  case "$1" in
    --new-key) new_key=yes ;;
    --key) [ $# -gt 1 ] || { usage >&2; exit 2; }; key=$2; shift ;;
    --join)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      case "$2" in *[!A-Za-z0-9._:/-]*|'') echo "install: --join is \"$2\"; a host, HOST:PORT or multiaddr is accepted" >&2; exit 2 ;; esac
      joins="$joins${joins:+, }\"$2\""; shift ;;
    --explain) explain=yes ;;
    -h|--help) usage; exit 0 ;;
    *) echo "install: $1 is not known" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

# Another root than / is for images that are prepared on another machine: nothing is started there.
root=${DESTDIR:-}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
step() { printf '%s\n' "- $*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }
act() { [ "$explain" = yes ] || "$@"; }

# What has to be so before anything is touched.
[ -f "$here/shoal.mjs" ] || fail "$here has no shoal.mjs; unpack the bundle and run the install.sh that is in it"
[ -f "$here/shoal.service" ] || fail "$here has no shoal.service; unpack the whole bundle"
command -v node >/dev/null 2>&1 || fail 'Node.js is missing: Shoal needs 20.19 or newer, from your distribution or nodejs.org'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js is $(node --version); Shoal needs 20.19 or newer, from your distribution or nodejs.org"
case "$(uname -m)" in
  x86_64|aarch64) ;;
  *) step "note: $(uname -m) is not among what is tested; 64-bit ARM and x86 are" ;;
esac
node "$here/shoal.mjs" --version >/dev/null || fail 'the program does not run here; what it said is above'
if [ -z "$root" ] && [ "$explain" = no ]; then
  [ "$(id -u)" = 0 ] || fail 'this writes to /opt and /etc: run it with sudo, or see what it does with --explain'
  command -v systemctl >/dev/null 2>&1 || fail 'there is no systemd here; start "shoal up" with what there is instead'
fi
held=$root/etc/shoal/mesh.key
if [ -f "$held" ]; then
  [ "$new_key" = no ] || fail "$held is there already: this node has a mesh. Without --new-key it is kept"
  if [ -n "$key" ] && ! cmp -s "$key" "$held"; then
    fail "$held is the key of another mesh; move it away yourself if this node should change over"
  fi
elif [ -n "$key" ]; then
  [ "$new_key" = no ] || { usage >&2; exit 2; }
  [ -r "$key" ] || fail "$key cannot be read"
  [ "$(head -n 1 "$key")" = /key/swarm/psk/1.0.0/ ] || fail "$key is no mesh key; \"shoal key\" makes one"
elif [ "$new_key" = no ]; then
  echo 'install: which mesh? --new-key or --key FILE' >&2
  usage >&2
  exit 2
fi

step "the program goes to $root/opt/shoal, with the command $root/usr/local/bin/shoal"
if [ "$explain" = no ]; then
  mkdir -p "$root/opt" "$root/usr/local/bin"
  # Beside the old one first, then in its place: a node that restarts meanwhile finds a whole one.
  rm -rf "$root/opt/shoal.new"
  cp -R "$here" "$root/opt/shoal.new"
  chmod -R u+rwX,go+rX,go-w "$root/opt/shoal.new"
  chmod 755 "$root/opt/shoal.new/shoal.mjs"
  [ -n "$root" ] || chown -R 0:0 /opt/shoal.new
  rm -rf "$root/opt/shoal.old"
  [ ! -d "$root/opt/shoal" ] || mv "$root/opt/shoal" "$root/opt/shoal.old"
  mv "$root/opt/shoal.new" "$root/opt/shoal"
  rm -rf "$root/opt/shoal.old"
  ln -sfn /opt/shoal/shoal.mjs "$root/usr/local/bin/shoal"
fi

act mkdir -p "$root/etc/shoal"
if [ -f "$held" ]; then
  step "the mesh key $held is kept"
elif [ "$new_key" = yes ]; then
  step "a new mesh key goes to $held; copy it to every other node, and to nobody else"
  act node "$here/shoal.mjs" key "$held"
else
  step "the mesh key goes from $key to $held, readable by root alone"
  act install -m 600 "$key" "$held"
fi

settings=$root/etc/shoal/shoal.toml
if [ -f "$settings" ]; then
  step "the settings $settings are kept"
  [ -z "$joins" ] || step "note: --join is not written into them; put this there yourself: join = [$joins]"
else
  step "settings go to $settings"
  [ "$explain" = yes ] || cat > "$settings" <<END
# The names are those of the flags of "shoal up --help"; "shoal config" shows what is in force.
join = [$joins]
# What this node has, for tasks that need it:
# label = { zone = "hall-2", modbus = "line-3" }
# What tasks may be. exec runs programs with all the rights of the service's user:
# allow = ["handler", "exec"]
END
fi

step "the service goes to $root/etc/systemd/system/shoal.service"
act mkdir -p "$root/etc/systemd/system"
act install -m 644 "$here/shoal.service" "$root/etc/systemd/system/shoal.service"
if [ -n "$root" ]; then
  step 'nothing is started: this is not the running system'
elif [ "$explain" = yes ]; then
  step 'the service would be enabled and started'
else
  step 'the service is enabled and started'
  systemctl daemon-reload
  systemctl enable shoal
  systemctl restart shoal
  echo
  echo 'Done. Look: sudo shoal members --token-file /var/lib/shoal/api.token'
  echo 'Its log:    journalctl -u shoal -f'
fi
