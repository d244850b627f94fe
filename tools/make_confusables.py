"""Make `core/data/confusables.txt` from Unicode's own file.

    python tools/make_confusables.py /path/to/confusables.txt

Unicode publishes the file as https://www.unicode.org/Public/security/VERSION/confusables.txt; the ICU sources carry it as
`source/data/unidata/confusables.txt`. Unicode writes one mapping a line with names, 700 kB; here stands a line for each
prototype, then a tab, then all characters that look like it: 40 kB, read in a millisecond.
"""

from __future__ import annotations

import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "nixie" / "core" / "data" / "confusables.txt"


def main(source: Path) -> None:
    """Read Unicode's file and write ours."""
    version = ""
    sources: dict[str, list[str]] = {}
    for line in source.read_text("utf-8-sig").split("\n"):
        if line.startswith("# Version:"):
            version = line.partition(":")[2].strip()
        fields = line.partition("#")[0].split(";")
        if len(fields) >= 3:
            prototype = "".join(chr(int(code, 16)) for code in fields[1].split())
            sources.setdefault(prototype, []).append(chr(int(fields[0], 16)))
    if not version or not sources:
        raise SystemExit(f"{source}: not Unicode's confusables.txt; take it from unicode.org or the ICU sources")
    head = [
        f"# Unicode {version} confusables (UTS #39), prototype <tab> characters that look like it",
        "# Copyright 1991-2022 Unicode, Inc., under the Unicode License, https://www.unicode.org/license.txt",
    ]
    lines = [f"{prototype}\t{''.join(sorted(chars))}" for prototype, chars in sorted(sources.items())]
    TARGET.write_text("\n".join(head + lines) + "\n", "utf-8", newline="\n")
    sys.stdout.write(f"{TARGET}: Unicode {version}, {sum(map(len, sources.values()))} characters\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
