# Makes the virtual environment from the hashed locks; sourced by ./run and ./test. A second start costs milliseconds.
# bootstrap runtime|dev: afterwards $venv holds what the lock names and the package itself. Needs only sh and Python.
complain() {
  echo "nixie: $*" >&2
  exit 69
}

# Sets $python: $PYTHON where it is given, else the first of the usual names that is new enough.
find_python() {
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.14 python3.13 python3.12 python3.11; fi
  for python in "$@"; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
  done
  complain "no Python 3.11 or newer among: $*. Install one, or name it: PYTHON=/path/to/python3.11 ./run"
}

bootstrap() {
  lock="$here/requirements/$1.txt"
  venv="$here/.venv"
  stamp="$venv/.nixie-$1"
  if [ "$1" = runtime ] && [ -f "$venv/.nixie-dev" ]; then stamp="$venv/.nixie-dev"; lock="$here/requirements/dev.txt"; fi
  # The place belongs to the stamp: a folder that was moved or copied gets its environment anew.
  want=$(cat "$lock" "$here/pyproject.toml" | cksum)" $here"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return 0
  find_python
  if [ -n "${WHEELHOUSE:-}" ] && [ ! -d "$WHEELHOUSE" ]; then complain "WHEELHOUSE=$WHEELHOUSE is not a folder"; fi
  echo "nixie: making the environment in .venv with $("$python" -V) (once) ..." >&2
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$python" -m venv "$venv" || {
      rm -rf "$venv"
      complain "'$python -m venv' failed (see above). On Debian and Ubuntu: apt-get install python3-venv"
    }
  fi
  set -- -q --disable-pip-version-check
  if [ -n "${WHEELHOUSE:-}" ]; then set -- "$@" --no-index --find-links "$WHEELHOUSE"; fi
  "$venv/bin/python" -m pip install "$@" --require-hashes -r "$lock" || complain \
    "the packages of requirements/${lock##*/} could not be installed (see above). Without a network, put their wheels into a folder and say: WHEELHOUSE=folder ./run"
  # The package itself is put on the path in place: nothing to build, so no build tool is needed in a closed network.
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$here/src" > "$site/nixie-in-place.pth"
  # A shell wrapper: a path with blanks, or one that is too long for #!, does no harm here.
  printf '#!/bin/sh\nexec "%s/bin/python" -m nixie.cli.main "$@"\n' "$venv" > "$venv/bin/nixie"
  chmod +x "$venv/bin/nixie"
  "$venv/bin/python" -c 'import click, cryptography, nixie' || complain "the environment is incomplete; remove $venv and try again"
  echo "$want" > "$stamp"
}
