"""README and docs tell the truth: every setting and command is in them, every link leads somewhere."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from core.cli import app
from core.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def table_row(text: str, start: str) -> str:
    """The row of a table that begins with this cell."""
    rows = [line for line in text.splitlines() if line.startswith(f"| `{start}")]
    assert len(rows) == 1, f"{start} has {len(rows)} rows"
    return rows[0]


def commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


EVERY = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_readme_with_its_default(name: str) -> None:
    row = table_row(README, f"{name.upper()}`")
    default = Settings.model_fields[name].default
    if isinstance(default, str | Path) and str(default):
        assert f"`{default}`" in row


def test_every_variable_that_is_read_directly_is_in_readme() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "core").rglob("*.py"))
    for name in set(re.findall(r'environ(?:\.get\(|\[)"(EVENSTOCK_\w+|TIKTOK_\w+)"', code)):
        assert table_row(README, f"{name}`")


def test_readme_names_no_setting_that_does_not_exist() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "core").rglob("*.py")).upper()
    for name in set(re.findall(r"`(TIKTOK_SHOP_\w+|EVENSTOCK_\w+|DATABASE_URL)`", README)):
        assert name in code


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_command_is_in_the_docs_with_every_option(name: str) -> None:
    rows = [line for line in COMMANDS.splitlines() if re.match(rf"\| `{re.escape(name)}[ `]", line)]
    assert len(rows) == 1, f"{name} has {len(rows)} rows"
    for parameter in EVERY[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert option in rows[0], f"{option} of {name}"


def test_the_docs_name_no_command_that_does_not_exist() -> None:
    for page in PAGES:
        for words in re.findall(r"python -m core ([a-z]+(?: [a-z]+)?)", page.read_text(encoding="utf-8")):
            first, _, second = words.partition(" ")
            known = {name.partition(" ")[0] for name in EVERY}
            assert first in known, f"{page.name}: {words}"
            assert first != "plan" or f"plan {second}" in EVERY, f"{page.name}: {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(file.name[:4]) for file in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_requirement_has_its_reason() -> None:
    told = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8").lower()
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.split(r"[<>=\[]", line)[0] in told, line


def test_ci_runs_the_tests_with_readmes_own_line() -> None:
    extract = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("tests=$("))
    shown = subprocess.run(
        ["bash", "-c", f'{extract}; echo "$tests"'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    line = shown.stdout.strip()
    assert line in README.splitlines()
    assert line.endswith("-m pytest -n auto --dist worksteal"), "all of them"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_readme_starts_the_desk_in_one_line_on_each_system() -> None:
    lines = [line for line in README.splitlines() if "streamlit run app.py" in line and "requirements.txt" in line]
    assert [("venv .venv" in line, line.startswith("py -3")) for line in lines] == [(True, False), (True, True)]
