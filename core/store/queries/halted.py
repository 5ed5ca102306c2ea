"""Items whose books did not add up, so that nothing of them is sent."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Halted:
    """One item, since when (ms) it is halted, and why in sentences."""

    item_id: int
    sku: str
    title: str
    halted_at: int
    why: str


def count(connection: Connection) -> int:
    """How many items are halted."""
    return int(connection.execute(text("SELECT count(*) FROM item WHERE halted_at IS NOT NULL")).scalar_one())


_ITEMS = text("""
SELECT id, sku, title, variant, halted_at, halted_why FROM item WHERE halted_at IS NOT NULL ORDER BY halted_at, id
LIMIT :limit
""")


def items(connection: Connection, limit: int = 100) -> list[Halted]:
    """The halted items, the one halted first at the top."""
    return [
        Halted(
            row.id, row.sku, f"{row.title}, {row.variant}" if row.variant else row.title, row.halted_at, row.halted_why
        )
        for row in connection.execute(_ITEMS, {"limit": limit})
    ]


def counted_since(connection: Connection) -> list[int]:
    """The halted items that were counted after they were halted."""
    query = text("SELECT id FROM item WHERE halted_at IS NOT NULL AND counted_at >= halted_at ORDER BY id")
    return list(connection.execute(query).scalars())
