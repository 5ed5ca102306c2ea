"""A believable small shop, written straight into the store: goods, orders, pushes, runs and a few troubles."""

import json
import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, text
from sqlmodel import SQLModel

from core import clock
from core.analytics.rollups import recount
from core.store import tables as t
from core.store.engine import Store
from core.store.upsert import table
from core.sync import aims

SHOP = "7495001"
ZONE = ZoneInfo("Europe/London")
GOODS = [
    ("LINEN", "Linen tea towel, set of two", ("Oat", "Slate", "Clay"), 1650),
    ("CANDLE", "Beeswax candle, hand poured", ("Small", "Large"), 1400),
    ("MUG", "Stoneware mug 300 ml", ("Cream", "Moss", "Night"), 1850),
    ("BOWL", "Serving bowl 24 cm", ("Cream", "Moss"), 3400),
    ("SOAP", "Olive oil soap, 3 bars", ("Lavender", "Cedar"), 1100),
    ("APRON", "Washed linen apron", ("Oat", "Slate"), 3900),
    ("BRUSH", "Dish brush, beech and sisal", ("",), 750),
    ("BOARD", "Oak serving board", ("Small", "Large"), 2900),
    ("THROW", "Lambswool throw", ("Heather", "Fern"), 6900),
    ("VASE", "Bud vase, recycled glass", ("Clear", "Smoke"), 1600),
    ("BASKET", "Woven storage basket", ("Small", "Large"), 2400),
    ("JAM", "Damson jam 220 g", ("",), 550),
]
HOSTILE = "[free](http://evil.example) ![x](http://evil.example/a.png) :red[sale] <b>bold</b> $x$ www.evil.example"


def put(connection: Connection, model: type[SQLModel], **values: Any) -> int:
    """Insert one row, with the model's own defaults; returns its number where it has one."""
    row = model(**values).model_dump()
    if row.get("id", 0) is None:
        row.pop("id")
    result = connection.execute(insert(table(model)).values(row))
    return int(result.inserted_primary_key[0]) if isinstance(result.inserted_primary_key[0], int) else 0


def shop(connection: Connection, practice: bool = True) -> None:
    now = clock.now_ms()
    put(
        connection, t.Shop, id=SHOP, auth="practice", name="Hazel and Thread", region="GB", currency="GBP",
        timezone="Europe/London", practice=practice, mode="live", connected_at=now - 3 * 86_400_000,
    )  # fmt: skip
    put(
        connection,
        t.Warehouse,
        shop_id=SHOP,
        id="W1",
        name="Bristol",
        kind="SALES_WAREHOUSE",
        is_default=True,
        location_id=1,
    )
    put(connection, t.Warehouse, shop_id=SHOP, id="W2", name="Leeds", kind="SALES_WAREHOUSE", location_id=None)


def goods(connection: Connection, chance: random.Random) -> list[tuple[str, str, str, str, int, int]]:
    """Items, listings, links and levels; a few of them differ in believable ways."""
    now, made, number = clock.now_ms(), [], 0
    for code, title, variants, price in GOODS:
        for variant in variants:
            number += 1
            sku, sku_id, product = f"{code}-{variant.upper() or 'STD'}", f"1729{number:06d}", f"1728{code}"
            item = put(
                connection, t.Item, sku=sku, title=title, variant=variant, price_units=price * 100, currency="GBP",
                created_at=now, counted_at=now - 5 * 86_400_000,
            )  # fmt: skip
            have = chance.randint(4, 60)
            put(connection, t.Movement, item_id=item, location_id=1, on_hand=have, reason="count", origin="store",
                at=now - 5 * 86_400_000)  # fmt: skip
            put(connection, t.Level, item_id=item, location_id=1, on_hand=have, reserved=0)
            shown = have + {3: 4, 8: -2, 14: 7}.get(number, 0)
            put(
                connection, t.Listing, shop_id=SHOP, sku_id=sku_id, product_id=product, seller_sku=sku,
                title=HOSTILE if number == 5 else title + (" (new)" if number == 7 else ""), variant=variant,
                price_units=price * 100 + (10_000 if number == 9 else 0), currency="GBP", status="ACTIVATE",
                seen_at=now - 60_000, available=shown, committed=0, observed_at=now - 42_000,
                base_available=have, base_open=0, base_shipped=0, base_at=now - 3_600_000,
                refused_code=12052393 if number == 11 else None,
                refused_sentence="TikTok keeps this stock for a running campaign." if number == 11 else None,
            )  # fmt: skip
            put(connection, t.Stock, shop_id=SHOP, sku_id=sku_id, warehouse_id="W1", available=shown, committed=0)
            if number != 12:
                put(connection, t.Link, shop_id=SHOP, sku_id=sku_id, item_id=item, origin="sku", created_at=now)
            made.append((sku_id, sku, title, variant, price * 100, item))
    put(connection, t.Item, sku="GIFT-CARD", title="Gift card", price_units=250_000, currency="GBP", created_at=now)
    return made


STATES = ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT"]


def orders(
    connection: Connection, made: list[tuple[str, str, str, str, int, int]], chance: random.Random, days: int = 60
) -> None:
    now = clock.now()
    number = 0
    for day in range(days, -1, -1):
        many = chance.randint(5, 11) + (5 if (days - day) % 7 in (5, 6) else 0)
        for _ in range(many):
            placed = (
                now - day * 86_400 - chance.choice([1, 2, 2, 3, 4, 6, 8, 9, 11, 13]) * 3_000 - chance.randint(0, 2_000)
            )
            number += 1
            _order(connection, made, chance, f"5769{number:014d}", placed, day)


def _order(connection: Connection, made: list[Any], chance: random.Random, key: str, placed: int, day: int) -> None:
    status = "CANCELLED" if chance.random() < 0.05 else chance.choice(STATES) if day < 2 else "COMPLETED"
    local = datetime.fromtimestamp(placed, ZONE)
    gone = status in ("AWAITING_COLLECTION", "IN_TRANSIT", "COMPLETED")
    lines = [made[min(len(made) - 1, int(chance.expovariate(0.18)))] for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    put(
        connection,
        t.Order,
        id=key,
        shop_id=SHOP,
        status=status,
        update_time=placed + 60,
        create_time=placed,
        paid_time=None if status == "UNPAID" else placed + 40,
        rts_time=placed + 20_000 if gone else None,
        cancel_time=placed + 9_000 if status == "CANCELLED" else None,
        day=local.date().isoformat(),
        hour=local.hour,
        currency="GBP",
        total_units=sum(line[4] for line in lines) + 29_900,
        shipping_fee_units=29_900,
        units=len(lines),
        first_seen_at=placed * 1000 + chance.randint(900, 19_000),
        changed_at=placed * 1000 + 70_000,
        fulfillment_type="FULFILLMENT_BY_SELLER",
    )
    for place, (sku_id, sku, title, variant, price, item) in enumerate(lines):
        put(
            connection, t.OrderLine, id=f"{key}{place}", order_id=key, shop_id=SHOP, sku_id=sku_id, product_id="p",
            seller_sku=sku, title=title, variant=variant, status=status, shipped=gone,
            shipped_time=placed + 20_000 if gone else None, original_price_units=price, sale_price_units=price,
        )  # fmt: skip
        if status in ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"):
            put(connection, t.Movement, item_id=item, location_id=1, reserved=1, reason="order", origin="tiktok",
                reference=f"{key}{place}", at=placed * 1000 + 4_000)  # fmt: skip
            connection.execute(text("UPDATE level SET reserved = reserved + 1 WHERE item_id = :i"), {"i": item})
            connection.execute(
                text("UPDATE listing SET available = max(0, available - 1), committed = committed + 1, "
                     "open_units = open_units + 1 WHERE sku_id = :s"), {"s": sku_id}
            )  # fmt: skip


def work(connection: Connection, made: list[Any], chance: random.Random) -> None:
    """What the loop did: pushes with their delays, runs with their counts, one drift, one waiting, one failure."""
    now = clock.now_ms()
    for number in range(60):
        at = now - number * 1_500_000
        sku_id = made[number % len(made)][0]
        put(
            connection, t.Push, shop_id=SHOP, sku_id=sku_id, product_id="p", generation=1, target=9, wanted="{}",
            read_available=11, read_committed=2, read_open=2, read_shipped=0, dirty_at=at - chance.randint(150, 900),
            intent_at=at, answered_at=at + 120, confirmed_at=at + chance.randint(180, 1_600), outcome="confirmed",
        )  # fmt: skip
    for number in range(80):
        at = now - number * 300_000 - 40_000
        new = chance.randint(0, 4)
        put(connection, t.Run, kind="sync orders", shop_id=SHOP, status="done", started_at=at, ended_at=at + 380,
            counts=json.dumps({"new": new, "changed": new // 2}),
            sentence=f"{new} new orders, {new // 2} changed orders.")  # fmt: skip
    put(
        connection,
        t.Run,
        kind="sync stock",
        shop_id=SHOP,
        status="done",
        started_at=now - 120_000,
        ended_at=now - 118_400,
        counts=json.dumps({"quantities changed on TikTok": 1}),
    )
    failed = put(
        connection,
        t.Run,
        kind="sync catalog",
        shop_id=SHOP,
        status="failed",
        started_at=now - 1_000_000,
        ended_at=now - 998_000,
        sentence="TikTok is busy and asked us to wait.",
        next_step="It is tried again in two minutes.",
        outcome="try later",
        code=36009002,
        request_id="202611200907550102",
    )
    put(connection, t.RunRow, run_id=failed, entity=made[1][0], field="title", result="failed", sentence="Not read.")
    put(
        connection,
        t.Drift,
        shop_id=SHOP,
        sku_id=made[13][0],
        found_at=now - 900_000,
        expected=20,
        observed=27,
        amount=7,
    )
    put(connection, t.Outbox, shop_id=SHOP, sku_id=made[2][0], generation=4, state="dirty", dirty_at=now - 3_000,
        reason="an order changed the stock")  # fmt: skip
    put(connection, t.Cursor, source=f"orders:{SHOP}", value=now // 1000 - 40, moved_at=now - 40_000)


def plan(connection: Connection, made: list[Any], state: str = "proposed", warning: str = "") -> int:
    """A plan of three changes."""
    number = put(connection, t.Plan, kind="resync", shop_id=SHOP, state=state, actor="owner", created_at=clock.now_ms(),
                 warning=warning)  # fmt: skip
    for place in (2, 7, 13):
        put(connection, t.PlanRow, plan_id=number, entity=made[place][0], field="available", old="14", new="10",
            read_at=clock.now_ms() - 42_000, rule="On hand 12, minus 2 promised")  # fmt: skip
    return number


def fill(store: Store, days: int = 60) -> list[Any]:
    """The whole shop; returns its goods as (sku_id, sku, title, variant, price, item)."""
    chance = random.Random(7)
    with store.write() as connection:
        shop(connection)
        made = goods(connection, chance)
        orders(connection, made, chance, days)
        work(connection, made, chance)
        recount(connection)
        aims.of_listings(connection, SHOP, [sku_id for sku_id, *_ in made])
    return made
