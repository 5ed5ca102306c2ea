"""The list of mutants fits the code it breaks, and the docs tell of each; running them is `python -m tests.mutants`."""

from pathlib import Path

from tests.mutants import MUTANTS, ROOT, stale


def test_every_mutant_finds_the_line_it_breaks() -> None:
    assert stale() == []


def test_every_mutant_names_tests_that_are_there() -> None:
    for name in (test for one in MUTANTS for test in one.tests):
        file, _, test = name.partition("::")
        assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8"), name


def test_the_docs_list_every_mutant() -> None:
    told = (Path(ROOT) / "docs" / "testing.md").read_text(encoding="utf-8")
    assert [one.name for one in MUTANTS if f"| {one.name} |" not in told] == []
