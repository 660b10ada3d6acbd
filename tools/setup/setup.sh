#!/usr/bin/env bash
# Installs what this machine lacks to build and test the project; says what and why. Quick when nothing is missing.
#
# 1. Debian packages of debian-packages.txt (and Node.js 18 or newer when there is none)
# 2. npm packages, by `npm ci`, in every folder that has a package-lock.json
# 3. libextism, from crates.io, when cargo is there; it is kept outside of the tree, since it takes minutes (DX_SKIP_EXTISM=1: not)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

readonly oldest_node=18
readonly oldest_rust=91  # 1.91, what the crate asks for

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Apt-get asks nothing and waits for another apt-get that holds the lock.
apt() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages must be installed, but this is not root and sudo is missing: run ./dev setup as root once"
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
}

wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' tools/setup/debian-packages.txt; }

node_is_recent() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'parseInt(process.versions.node)')" -ge "$oldest_node" ]
}

install_debian_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "this script installs Debian packages; on another system install those of tools/setup/debian-packages.txt by hand and set DX_SKIP_APT=1"

  local installed missing=() name reason
  # dpkg-query fails when it does not know one of the names: those are missing, which is what is asked here.
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $(wanted_packages | awk '{print $1}') 2>/dev/null || true)
  while read -r name reason; do
    grep -qxF "installed $name" <<<"$installed" && continue
    missing+=("$name")
    say "$(printf '%-28s is missing: %s' "$name" "$reason")"
  done < <(wanted_packages)
  if ! node_is_recent; then
    missing+=(nodejs npm)
    say "$(printf '%-28s is missing: %s' "nodejs, npm" "runs the plugin outside a browser, wasm-opt, and the tests against real Yjs")"
  fi
  [ "${#missing[@]}" -gt 0 ] || return 0

  say "refreshing the list of packages (apt-get update)"
  apt update -qq
  for name in "${missing[@]}"; do
    apt-cache show "$name" >/dev/null 2>&1 ||
      die "Debian's sources here do not offer $name: check that bookworm and bookworm-security are in /etc/apt/sources.list, then run ./dev setup again"
  done
  say "installing ${#missing[@]} packages"
  apt install -y -q --no-install-recommends "${missing[@]}"
  node_is_recent || die "Node.js $oldest_node or newer is needed, and Debian's packages did not bring it: install it by hand"
}

# A folder is up to date when the lock file that its node_modules was made from is the one in the tree.
install_npm_packages() {
  local lock folder stamp
  while read -r lock; do
    folder=$(dirname "$lock")
    stamp=$folder/node_modules/.made-from-lock
    cmp -s "$lock" "$stamp" && continue
    say "npm ci in $folder"
    (cd "$folder" && npm ci --prefer-offline --no-audit --no-fund --loglevel=error) ||
      die "npm ci failed in $folder: check that the npm registry can be reached, then run ./dev setup again"
    cp "$lock" "$stamp"
  done < <(find . -name package-lock.json -not -path '*/node_modules/*' -not -path './build/*' -not -path './demo/*' | sort)
}

# Only `shells/host` needs it, so whatever is missing here is said and left out.
make_libextism() {
  local crate=shells/host/libextism place=${XDG_CACHE_HOME:-$HOME/.cache}/diaryx/libextism key work header minor
  [ ! -f /usr/local/include/extism.h ] && [ ! -f /usr/include/extism.h ] || return 0
  key=$(cat "$crate/Cargo.toml" "$crate/Cargo.lock" "$crate/src/lib.rs" | sha256sum)
  [ "$(cat "$place/made-from" 2>/dev/null)" != "$key" ] || return 0
  if ! command -v cargo >/dev/null; then
    say "cargo is not here, so libextism and the native plugin host are left out"
    return 0
  fi
  minor=$(rustc --version 2>/dev/null | sed -E 's/^rustc 1\.([0-9]+).*/\1/')
  if ! [ "${minor:-0}" -ge "$oldest_rust" ] 2>/dev/null; then
    say "Rust 1.$oldest_rust or newer is needed for libextism, so the native plugin host is left out"
    return 0
  fi
  say "making libextism from crates.io, once: some minutes"
  work=$place.work
  mkdir -p "$place/lib" "$place/include" "$work"
  if ! CARGO_TARGET_DIR=$work cargo build --quiet --release --locked --manifest-path "$crate/Cargo.toml"; then
    say "libextism could not be made (see above), so the native plugin host is left out"
    return 0
  fi
  header=$(cargo metadata --locked --format-version 1 --manifest-path "$crate/Cargo.toml" |
    grep -oE '"manifest_path":"[^"]*/extism-[0-9.]+/Cargo.toml"' | head -1 | sed -E 's/^"manifest_path":"(.*)\/Cargo.toml"$/\1/')
  cp "$header/extism.h" "$place/include/"
  cp "$work/release/libextism.a" "$place/lib/"
  echo "$key" >"$place/made-from"
  rm -rf "$work"
}

started=$SECONDS
[ -n "${DX_SKIP_APT:-}" ] || install_debian_packages
install_npm_packages
[ -n "${DX_SKIP_EXTISM:-}" ] || make_libextism
took=$((SECONDS - started))
if [ "$took" -gt 2 ]; then say "done in $took s"; fi
