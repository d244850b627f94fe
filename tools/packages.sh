#!/bin/sh
# Installs the Debian packages that ./test --system drives, when root; otherwise says what is missing.
set -eu
want="postfix miltertest chromium chromium-driver"
missing=""
for package in $want; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing packages:$missing (install them, or run as root on Debian)" >&2
  [ "${NIXIE_REQUIRE:-}" = all ] && exit 1
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
