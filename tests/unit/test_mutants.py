"""The list of mutants fits the code it breaks, and the docs tell of each; running them is `python -m tests.mutants`."""

from pathlib import Path

from tests.mutants import MUTANTS, ROOT, stale


def test_every_mutant_finds_the_line_it_breaks() -> None:
    assert stale() == []


def test_every_mutant_names_tests_that_are_there() -> None:
    assert [name for one in MUTANTS for name in one.tests.split() if not (ROOT / name).is_file()] == []


def test_the_docs_list_every_mutant() -> None:
    told = (Path(ROOT) / "docs" / "testing.md").read_text(encoding="utf-8")
    assert [one.name for one in MUTANTS if f"| {one.name} |" not in told] == []
