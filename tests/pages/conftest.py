"""The pages as a person meets them: driven by Streamlit's own test client over a store with a small shop in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime
from core.store.engine import Store, open_store
from tests.pages import fake, seed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    yield opened
    opened.close()


@pytest.fixture
def rt(store: Store) -> Iterator[fake.FakeRuntime]:
    """An Evenstock with nothing in it."""
    running = fake.FakeRuntime(store)
    runtime.install(running)
    yield running
    runtime.install(None)


@pytest.fixture
def desk(rt: fake.FakeRuntime) -> fake.FakeRuntime:
    """An Evenstock with a small shop."""
    rt.goods = seed.fill(rt.store, days=20)
    return rt


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """Open a page, with the parameters of its address."""

    def open_page(page: str = "overview", /, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=20).run()
        for name, value in address.items():
            at.query_params[name] = value
        if page != "overview":
            at.switch_page(f"{page}.py")
        return at.run()

    return open_page
