# Makes the virtual environment from the hashed locks; sourced by ./run and ./test. A second start costs milliseconds.
# bootstrap runtime|dev: afterwards $venv holds what the lock names and the package itself.
bootstrap() {
  lock="$here/requirements/$1.txt"
  venv="$here/.venv"
  stamp="$venv/.nixie-$1"
  if [ "$1" = runtime ] && [ -f "$venv/.nixie-dev" ]; then stamp="$venv/.nixie-dev"; lock="$here/requirements/dev.txt"; fi
  want=$(cat "$lock" "$here/pyproject.toml" | cksum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return 0
  python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "nixie needs Python 3.11 or newer; '$python' is $("$python" -V 2>&1). Set PYTHON=/path/to/python3.11." >&2; exit 69; }
  echo "nixie: making the environment in .venv (once) ..." >&2
  if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || { echo "nixie: no venv module; on Debian: apt-get install python3-venv" >&2; exit 69; }
  fi
  set -- -q --disable-pip-version-check
  [ -n "${WHEELHOUSE:-}" ] && set -- "$@" --no-index --find-links "$WHEELHOUSE"
  "$venv/bin/python" -m pip install "$@" --require-hashes -r "$lock" || {
    echo "nixie: the packages of $lock could not be installed (see above); WHEELHOUSE=dir takes them from a folder" >&2; exit 69; }
  # The package itself is put on the path in place: nothing to build, so no build tool is needed in a closed network.
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$here/src" > "$site/nixie-in-place.pth"
  printf '#!%s\nimport sys\nfrom nixie.cli.main import main\nsys.exit(main())\n' "$venv/bin/python" > "$venv/bin/nixie"
  chmod +x "$venv/bin/nixie"
  "$venv/bin/python" -c 'import click, cryptography, nixie' || { echo "nixie: the environment is incomplete; remove .venv and try again" >&2; exit 69; }
  echo "$want" > "$stamp"
}
