"""The repository itself: nobody's address, no machine's path, no index of packages, and a reason beside every exception."""

import ast
import configparser
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from nixie.checks.registry import CHECKS
from nixie.core.slips import LOCAL_SLIPS, PERSON_SLIPS, SLIPS

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("NIXIE_DATA", ROOT.parent / "shared" / "data"))
TABLES = ("enron_*.parquet", "fauci_*.parquet", "lists_*.parquet", "spamassassin_*.parquet", "observed_*.parquet")
ADDRESS = re.compile(rb"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)
MESSAGE_ID = re.compile(rb"[^\s<>\"'()\[\]{}|,;]{8,}@[a-z0-9.-]+", re.IGNORECASE)
OURS_TO_USE = re.compile(
    r"@(.*\.)?(example(\.(com|org|net|edu))?|test|invalid|localhost|army\.mil|army\.ml|cba\.com(\.au)?)$", re.IGNORECASE
)
"""Reserved names (RFC 2606) and the two invented houses of the documentation."""
ROLES = frozenset(
    ("info", "admin", "support", "sales", "postmaster", "test", "user", "name", "john", "jane", "a", "b", "x")
)
MACHINE_PATHS = (b"/work" + b"/", b"/root" + b"/", b"/tmp" + b"/nx", b"/home" + b"/ubuntu")
REQUIRED = os.environ.get("NIXIE_REQUIRE") == "all"


@cache
def tracked():
    """Return every file that is part of the repository or about to be."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("NOT RUN: this is no git work tree, so nobody can say which files are part of it")
    paths = [ROOT / name for name in os.fsdecode(listed.stdout).split("\0") if name]
    return [path for path in paths if path.is_file()]


@cache
def content(path):
    return path.read_bytes()


def python_files(folder):
    return [p for p in tracked() if p.suffix == ".py" and p.is_relative_to(ROOT / folder)]


def test_requirements_name_no_index_and_no_address_of_a_server():
    files = sorted((ROOT / "requirements").glob("*.txt"))

    assert {"runtime.txt", "dev.txt"} <= {f.name for f in files}
    for file in files:
        text = file.read_text()
        told = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        assert "://" not in text
        assert not [line for line in told if re.search(r"--(extra-)?index-url|--find-links|-f |^-i ", line)]
        pinned = [line for line in told if "==" in line]
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)


def test_no_file_names_a_path_of_a_machine():
    files = [p for p in tracked() if p != ROOT / "tests" / "docs" / "test_pages.py"]  # names them to look for them
    found = {str(p.relative_to(ROOT)): [m.decode() for m in MACHINE_PATHS if m in content(p)] for p in files}

    assert {name: paths for name, paths in found.items() if paths} == {}


def real_people():
    """Return the addresses and Message-IDs of the public mail tables."""
    files = sorted(p for pattern in TABLES for p in DATA.glob(pattern)) if DATA.is_dir() else []
    if not files:
        assert not REQUIRED, f"NIXIE_REQUIRE=all, and there is no mail data in {DATA}"
        warnings.filterwarnings("ignore", category=pytest.PytestWarning)
        pytest.skip(f"NOT RUN: no mail data in {DATA}; name its folder in NIXIE_DATA")
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    addresses, ids = set(), set()
    for file in files:
        names = set(pq.read_schema(file).names)
        for name in names & {
            "sender",
            "to",
            "cc",
            "bcc",
            "address",
            "variant",
            "intended",
            "message_id",
            "in_reply_to",
        }:
            column = pq.read_table(file, columns=[name]).column(0)
            flat = pc.list_flatten(column) if "list" in str(column.type) else column
            values = {v.strip("<> ").lower() for v in pc.unique(flat).to_pylist() if isinstance(v, str) and "@" in v}
            (ids if name in {"message_id", "in_reply_to"} else addresses).update(values)
    return addresses, ids


@pytest.mark.skipif(sys.platform != "linux", reason="reads large tables; one system is enough")
def test_no_file_holds_an_address_or_a_message_id_of_a_real_person():
    addresses, ids = real_people()
    found = {}
    for path in tracked():
        words = {w.decode("latin-1").lower().strip(".") for w in ADDRESS.findall(content(path))}
        words |= {w.decode("latin-1").lower() for w in MESSAGE_ID.findall(content(path))}
        told = {w for w in words if not OURS_TO_USE.search(w) and w.partition("@")[0] not in ROLES}
        if known := (told & addresses) | (told & ids):
            found[str(path.relative_to(ROOT))] = sorted(known)

    assert len(addresses) > 5_000
    assert len(ids) > 50_000
    assert found == {}


def test_every_exception_from_the_rules_of_style_has_its_reason_beside_it():
    text = (ROOT / "pyproject.toml").read_text()
    (ignored,) = re.findall(r"^ignore = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    (by_file,) = re.findall(r"^\[tool\.ruff\.lint\.per-file-ignores\]\n(.*?)\n\n", text, re.DOTALL | re.MULTILINE)
    lines = [line for line in (ignored + by_file).splitlines() if re.search(r'"[A-Z]+\d*"', line)]

    assert len(lines) > 20
    assert [line.strip() for line in lines if not re.search(r"#\s*\S.{3,}", line)] == []


def test_the_rooms_are_under_contract():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    names = {s.rpartition(":")[2] for s in contracts.sections() if ":contract:" in s}

    assert {"pure", "rooms", "wire", "mail-path"} <= names


def test_the_contracts_of_the_rooms_are_kept():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_test_module_has_a_name_of_its_own():
    names = Counter(p.name for p in python_files("tests") if p.name != "conftest.py")

    assert [name for name, n in names.items() if n > 1] == []
    assert not list((ROOT / "tests").rglob("__init__.py"))


# The typed kinds of the local part are values of one module, with their examples as fields.
SLIP_MODULES = [kind for kind in (*SLIPS, *LOCAL_SLIPS, *PERSON_SLIPS) if hasattr(kind, "__name__")]


@pytest.mark.parametrize("module", [*CHECKS, *SLIP_MODULES], ids=lambda m: m.__name__.rpartition(".")[2])
def test_every_check_and_slip_kind_shows_an_example_that_fires_and_one_that_stays_quiet(module):
    text = module.__doc__ or ""
    _, _, told = text.partition("Fires:")
    fires, _, quiet = told.partition("Stays quiet:")

    assert re.search(r"`[^`]+`", fires)
    assert re.search(r"`[^`]+`", quiet)


def test_every_slip_kind_that_has_a_file_is_in_use():
    kinds = {p.stem for p in python_files("src/nixie/core/slips") if re.search(rb"^KIND = ", content(p), re.MULTILINE)}

    assert kinds == {kind.__name__.rpartition(".")[2] for kind in SLIP_MODULES}


@pytest.mark.parametrize(
    "name", ["CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "run", "test", ".ci/run", "src/nixie/py.typed"]
)
def test_what_a_stranger_looks_for_is_there(name):
    assert (ROOT / name).exists()
    if name == "LICENSE":
        assert "Apache License" in (ROOT / name).read_text()
    if name in {"run", "test", ".ci/run"}:
        assert os.access(ROOT / name, os.X_OK)


def test_no_module_of_the_product_is_without_a_word_or_longer_than_a_reader_bears():
    files = python_files("src")
    bare = [
        str(p.relative_to(ROOT)) for p in files if content(p).strip() and not ast.get_docstring(ast.parse(content(p)))
    ]
    long = [str(p.relative_to(ROOT)) for p in files if content(p).count(b"\n") > 400]

    assert (bare, long) == ([], [])


def test_nothing_is_left_to_be_done_later():
    marks = re.compile(rb"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|" + b"issue" + rb" #\d")
    found = [str(p.relative_to(ROOT)) for p in python_files("src") if marks.search(content(p))]

    assert found == []
