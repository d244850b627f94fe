"""The case files beside this one: what each check finds, in data that people read who write no Python."""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Formatter

import pytest

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.core.decide import examine
from nixie.core.evidence import EVIDENCE
from nixie.core.facts import Counts, Totals
from nixie.core.organisation import Organisation, Partner
from support.knowing import Known, case, sent

HERE = Path(__file__).parent
CHECKS_BY_ID = {check.ID: check for check in CHECKS}


def read(check):
    return tomllib.loads((HERE / f"{check}.toml").read_text("utf-8"))["case"]


CASES = [pytest.param(check, one, id=f"{check}: {one['name']}") for check in CHECKS_BY_ID for one in read(check)]


def known_of(one):
    """Return the knowledge of a case: `sent` counts by address or domain, for the author and the organisation."""
    totals = one.get("totals", {"author": 2_000, "organisation": 10_000, "new_addresses": 500, "new_domains": 150})
    known = Known(Totals(totals["author"], totals["organisation"], totals["new_addresses"], totals["new_domains"]))
    for name, counts in one.get("sent", {}).items():
        both = sent(counts.get("author", 0)), sent(counts["organisation"])
        known.address(name, *both) if "@" in name else known.domain(name, *both)
    for name, counts in one.get("seen", {}).items():
        known.address(name, Counts(), Counts(**counts))
    return known


def organisation_of(one):
    partners = tuple(Partner(name, tuple(domains)) for name, domains in one.get("partners", {}).items())
    return Organisation(own_domains=tuple(one.get("own", ["ministry.example"])), partners=partners)


@pytest.mark.parametrize("check, one", CASES)
def test_a_case_of_a_check(check, one):
    assert set(one) <= {"name", "totals", "sent", "seen", "own", "partners", "settings", "to", "find", "quiet", "skip"}
    decided = case(
        known_of(one), *one["to"], organisation=organisation_of(one), settings={check: one.get("settings", {})}
    )
    result = examine(decided, (CHECKS_BY_ID[check],))
    by_name = {one["to"][f.recipient]: f for f in result.findings}

    for finding in result.findings:
        for item in (*finding.evidence, *(e for c in finding.candidates for e in c.evidence)):
            assert tuple(name for name, _ in item.values) == EVIDENCE[item.code].values
    assert result.failed == ()
    assert [s.reason for s in result.skipped] == one.get("skip", [])
    for name in one.get("quiet", []):
        assert name not in by_name or dict(by_name[name].values)["probability"] < 0.1
    for name, wanted in one.get("find", {}).items():
        values = dict(by_name[name].values)
        assert values.get("probability", 1.0) >= wanted.pop("at_least", 0.0)
        if "intended" in wanted:
            assert by_name[name].candidates[0].address == wanted.pop("intended")
        assert {key: values[key] for key in wanted} == wanted


@pytest.mark.parametrize("code", EVIDENCE)
def test_a_sentence_of_evidence_uses_values_it_has(code):
    used = {name for _, name, _, _ in Formatter().parse(EVIDENCE[code].sentence) if name}

    assert used <= set(EVIDENCE[code].values)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.ID)
def test_a_check_is_documented_and_its_values_are_predicates(check):
    assert {"Fires:", "Stays quiet:"} <= {word for word in ("Fires:", "Stays quiet:") if word in check.__doc__}
    for name, kind in check.VALUES.items():
        line = f'"{check.ID}.{name}": Predicate({kind.__name__}, "..."),'
        assert f"{check.ID}.{name}" in PREDICATES, f"add to checks/predicates.py: {line}"
        assert PREDICATES[f"{check.ID}.{name}"].kind is kind


def test_every_file_of_the_room_is_in_the_registry():
    import nixie.checks

    files = {path.stem for path in Path(nixie.checks.__path__[0]).glob("*.py")} - {"__init__", "registry", "predicates"}
    missing = sorted(files - {check.ID for check in CHECKS})
    assert not missing, f"add to CHECKS in checks/registry.py: {', '.join(missing)},"
    assert all((HERE / f"{name}.toml").exists() for name in files), "write the check's case file in tests/checks"
