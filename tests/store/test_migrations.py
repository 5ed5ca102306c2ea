"""A store of an earlier version becomes one of this version, with what was in it."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from core.store import migrate
from core.store.engine import open_store

_BEFORE = """
INSERT INTO shop (id, auth, name, region, currency, timezone, practice, mode, connected_at)
  VALUES ('s', 'a', 'Shop', 'GB', 'GBP', 'Europe/London', 0, 'live', 1);
INSERT INTO item (id, sku, title, variant, currency, barcode, archived, created_at, buffer)
  VALUES (1, 'OWN', '', '', '', '', 0, 1, 4), (2, 'GENERAL', '', '', '', '', 0, 1, NULL);
INSERT INTO listing (shop_id, sku_id, product_id, seller_sku, title, variant, currency, status, picture_url, seen_at,
  gone, open_units, shipped_units) VALUES ('s', 'L1', 'P', '', '', '', '', '', '', 1, 0, 0, 0),
  ('s', 'L2', 'P', '', '', '', '', '', '', 1, 0, 0, 0);
INSERT INTO link (shop_id, sku_id, item_id, quantity, origin, created_at)
  VALUES ('s', 'L1', 1, 1, '', 1), ('s', 'L2', 2, 1, '', 1)
"""


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The address of a store as the first version left it: four units of one item kept back, and one of all others."""
    address = f"sqlite:///{(tmp_path / 'evenstock.db').as_posix()}"
    engine = create_engine(address)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _BEFORE.split(";"):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO setting (key, value) VALUES ('buffer', '1')"))
    engine.dispose()
    return address


def test_the_buffers_of_the_first_version_become_rules_that_are_in_force(old: str) -> None:
    store = open_store(old)
    with store.read() as connection:
        rules = connection.execute(text("SELECT scope, key, buffer FROM rule ORDER BY scope")).all()
        links = connection.execute(text("SELECT sku_id, buffer, share, cap FROM link ORDER BY sku_id")).all()
        left = connection.execute(text("SELECT count(*) FROM setting WHERE key = 'buffer'")).scalar_one()
    assert [tuple(row) for row in rules] == [("all", "", 1), ("item", "1", 4)]
    assert [tuple(row) for row in links] == [("L1", 4, 100, None), ("L2", 1, 100, None)]
    assert left == 0
    store.close()


def test_an_upgraded_store_is_copied_first(old: str, tmp_path: Path) -> None:
    open_store(old).close()
    assert (tmp_path / "backups" / "before-upgrade-from-0001.db").exists()
