# shellcheck shell=bash
# What run and test share: finding Swift, installing Debian packages, building. Sourced with `set -euo pipefail` from the top folder.

# Debian packages that the build needs: libraries, and what Swift's linker expects of the C side.
BUILD_PACKAGES=(libpcap-dev libsqlite3-dev libpsl-dev zlib1g-dev pkg-config libc6-dev libstdc++-dev)
# What a Swift toolchain that was unpacked from a tarball may lack (https://www.swift.org/install/linux/tarball/).
SWIFT_PACKAGES=(libncurses-dev libcurl4-openssl-dev libxml2-dev)
# SwiftPM does not enforce the arrows between modules unless it is asked to.
BUILD_OPTIONS=(--explicit-target-dependency-import-check error)
# With Swift's runtime inside a binary starts sooner, and needs no toolchain beside it.
# shellcheck disable=SC2034 # not every script makes a release
RELEASE_OPTIONS=(--configuration release --static-swift-stdlib)
[[ -z ${SCRATCH_PATH:-} ]] || BUILD_OPTIONS+=(--scratch-path "$SCRATCH_PATH")

say() { printf '%s\n' "$*" >&2; }

# Trouble: something is missing or broken, and the message says what to do about it.
fail() {
  say "${0##*/}: $1"
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 2
}

is_installed() {
  # Every release has its own libstdc++-N-dev.
  [[ $1 != libstdc++-dev ]] || { compgen -G '/usr/lib/gcc/*/*/libstdc++.so' >/dev/null; return; }
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The package that provides what is_installed looks for.
package_of() { if [[ $1 == libstdc++-dev ]]; then echo g++; else echo "$1"; fi; }

missing_packages() {
  local package
  for package; do is_installed "$package" || package_of "$package"; done
}

# Installs Debian packages without starting the services that some of them bring.
apt_install() {
  local policy=/usr/sbin/policy-rc.d ours='' status=0
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || apt-get update >&2 || return
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && ours=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" >&2 || status=$?
  [[ -z $ours ]] || rm -f $policy
  return $status
}

require_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    say "this is no Debian or Ubuntu: libpcap, SQLite, libpsl, zlib (with headers), pkg-config and a C++ standard library are taken to be there"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ((EUID == 0)); then
    say "installing ${missing[*]}"
    apt_install "${missing[@]}" || fail "apt-get could not install ${missing[*]}" "its message is above; often \`apt-get update\` helps"
  else
    fail "missing: ${missing[*]}" "sudo apt-get install --yes --no-install-recommends ${missing[*]}" "then run this again"
  fi
}

# Sets SWIFT to a toolchain that is new enough; fails with what was found instead in `found`.
look_for_swift() {
  local candidate said version
  found=''
  for candidate in "$(command -v swift || true)" /opt/swift/usr/bin/swift "${HOME:-}/.local/share/swiftly/bin/swift"; do
    [[ -x $candidate && $found != *" $candidate "* ]] || continue
    said=$("$candidate" --version 2>&1) || true
    version=$(sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' <<<"$said")
    if [[ $version =~ ^([0-9]+)\.([0-9]+)$ ]] && ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] >= 6003)); then
      SWIFT=$candidate
      return
    fi
    found+=" $candidate (${version:-${said%%$'\n'*}})"
  done
  return 1
}

# What a toolchain that cannot start lacks is named with the other packages, so that whoever installs them is told once.
if ! look_for_swift && [[ $found == *"loading shared libraries"* ]]; then BUILD_PACKAGES+=("${SWIFT_PACKAGES[@]}"); fi

find_swift() {
  local found
  look_for_swift && return
  fail "Swift 6.3 or newer is needed; found:${found:- none}" \
    "get it from https://www.swift.org/install/linux/ (swiftly, or a tarball unpacked so that /opt/swift/usr/bin/swift is there)"
}

# Whether this process may open packet sockets (capability 13, CAP_NET_RAW).
may_capture() { (((16#$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 13) & 1)); }

# Whether the file grants it to whoever starts it.
file_may_capture() { PATH=$PATH:/usr/sbin:/sbin getcap "$1" 2>/dev/null | grep -q cap_net_raw; }
