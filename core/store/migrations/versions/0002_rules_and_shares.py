"""Rules of the owner, shares of the last units, what TikTok showed when, what was oversold, and what a plan undoes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _whole(name: str, before: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(before))


def _words(name: str, before: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=before)


def upgrade() -> None:
    """Apply this step; the buffers that were set before become rules."""
    _add_columns()
    _add_tables()
    op.execute("UPDATE link SET buffer = coalesce((SELECT buffer FROM item WHERE item.id = link.item_id), 0)")
    op.execute(
        "INSERT INTO rule (scope, key, buffer, changed_at) SELECT 'item', CAST(id AS VARCHAR), buffer, created_at "
        "FROM item WHERE buffer IS NOT NULL"
    )
    general = "(SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'buffer')"
    op.execute(
        f"INSERT INTO rule (scope, key, buffer, changed_at) SELECT 'all', '', {general}, 0 WHERE {general} IS NOT NULL"
    )
    op.execute(
        f"UPDATE link SET buffer = {general} WHERE {general} IS NOT NULL "  # noqa: S608 (constants)
        "AND item_id IN (SELECT id FROM item WHERE buffer IS NULL)"
    )
    op.execute("DELETE FROM setting WHERE key = 'buffer'")
    op.drop_column("item", "buffer")


def _add_columns() -> None:
    for table, columns in {
        "item": (
            _words("group_name"),
            _whole("split_at"),
            _whole("split_total"),
            sa.Column("halted_at", sa.BigInteger(), nullable=True),
            _words("halted_why"),
        ),
        "link": (
            _whole("buffer"),
            _whole("share", 100),
            sa.Column("cap", sa.Integer(), nullable=True),
            _whole("zero_below"),
            _whole("split_from"),
            _whole("split_to"),
        ),
        "listing": (
            sa.Column("refused_at", sa.BigInteger(), nullable=True),
            sa.Column("target", sa.Integer(), nullable=True),
            _words("stand", "unlinked"),
            _whole("backorder"),
        ),
        "shop": (
            _words("kind", "tiktok"),
            _words("drift_rule", "ask"),
        ),
        "orders": (_words("warehouse_id"),),
        "drift": (
            _words("cause"),
            sa.Column("evidence", sa.Text(), nullable=False, server_default=""),
            _words("actor"),
        ),
        "plan": (
            sa.Column("payload", sa.Text(), nullable=False, server_default="{}"),
            sa.Column("undo_of", sa.Integer(), nullable=True),
        ),
        "plan_row": (
            sa.Column("change", sa.Integer(), nullable=True),
            sa.Column("stake_units", sa.BigInteger(), nullable=True),
            _words("currency"),
            sa.Column("warning", sa.Text(), nullable=False, server_default=""),
        ),
    }.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_item_group_name", "item", ["group_name"])
    op.create_index("plan_row_state", "plan_row", ["plan_id", "state"])
    halted = sa.text("halted_at IS NOT NULL")
    op.create_index("item_halted", "item", ["halted_at"], sqlite_where=halted, postgresql_where=halted)
    op.create_index("drift_state", "drift", ["state", "shop_id", "found_at"])
    op.create_index("drift_decided", "drift", ["decided_at"])
    uneven = sa.text("available <> target")
    op.create_index("listing_uneven", "listing", ["shop_id", "sku_id"], sqlite_where=uneven, postgresql_where=uneven)
    new = sa.text("settled_at IS NULL")
    op.create_index("listing_unsettled", "listing", ["shop_id", "product_id"], sqlite_where=new, postgresql_where=new)
    bundled = sa.text("components <> ''")
    op.create_index("line_bundled", "order_line", ["shop_id", "id"], sqlite_where=bundled, postgresql_where=bundled)


def _add_tables() -> None:
    op.create_table(
        "rule",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("buffer", sa.Integer(), nullable=True),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("zero_below", sa.Integer(), nullable=True),
        sa.Column("split", sa.Boolean(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_table(
        "shown",
        sa.Column("shop_id", sa.String(), nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("committed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "sku_id", "at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oversell",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("item.id"), nullable=False),
        sa.Column("movement_id", sa.Integer(), sa.ForeignKey("movement.id"), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        _whole("split_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("oversell_item", "oversell", ["item_id", "id"])
