"""The arithmetic of an item's last units for showing: what sells where, who knows how late, and who offers what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from core import clock
from core.store.queries import speeds as sold
from core.store.queries.speeds import SoldRow
from core.sync import speeds
from core.sync.aims import LOCKED
from core.sync.speeds import Delays
from core.sync.split import OWN, Channel, Key
from core.sync.targets import Split

_MEASURED = {True: "measured", False: "assumed, too few measured yet"}
_OWN_NAME = "Your own store"


@dataclass(frozen=True, slots=True)
class ChannelShare:
    """One channel of an item; all numbers are units of the item.

    `month`, `day` and `hour` were sold in 28 days, 24 hours and one hour, `per_hour` is the busiest of the three. A
    sale elsewhere stays unknown to it for `delay` seconds, for the reason `delay_from`; `unnoticed` is what it may sell
    in that time. `weight` of the total is its part of the last units, and `share` what that is of the units free now.
    """

    name: str
    shop_id: str
    sku_id: str
    quantity: int
    month: int
    day: int
    hour: int
    per_hour: float
    delay: float
    delay_from: str
    unnoticed: int
    weight: int
    share: int
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Shares:
    """How the last units of an item are divided: with no more than `at` of them `free`, by weights of `total`."""

    item_id: int
    sku: str
    title: str
    free: int
    at: int
    total: int
    in_force: bool
    channels: tuple[ChannelShare, ...]
    sentence: str


_ITEM = text(f"""
SELECT i.id, i.sku, i.title, i.split_at, i.split_total,
  (SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = i.id)
  - (SELECT coalesce(sum((CASE WHEN l.committed > l.open_units THEN l.committed - l.open_units ELSE 0 END
      + CASE WHEN l.{LOCKED} THEN l.available ELSE 0 END) * k.quantity), 0)
    FROM link k JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id
    WHERE k.item_id = i.id AND NOT l.gone) AS free
FROM item i WHERE i.id = :item
""")  # noqa: S608 (constants)
_NAMES = text("""
SELECT k.shop_id, k.sku_id, s.name AS shop, l.seller_sku FROM link k JOIN shop s ON s.id = k.shop_id
JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id WHERE k.item_id = :item
""")


def arithmetic(connection: Connection, item_id: int) -> Shares | None:
    """How the last units of an item are divided and why; None for an item that there is not.

    Shares and threshold are those in force; sales and delays those of this moment, by which they follow within ten
    minutes.
    """
    item = connection.execute(_ITEM, {"item": item_id}).one_or_none()
    if item is None:
        return None
    rows = sold.rows(connection, clock.now(), [item_id])
    off = speeds.left_out(connection, [item_id])
    known = speeds.delays(connection)
    names = {
        (row.shop_id, row.sku_id): f"{row.shop}: {row.seller_sku or row.sku_id}"
        for row in connection.execute(_NAMES, {"item": item_id})
    }
    channels = _channels(item, rows, known, off, names) if rows else ()
    applies = Split(item.split_at, item.split_total).applies(item.free)
    sentence = _sentence(item.free, item.split_at, item.split_total, applies, channels)
    return Shares(
        item.id, item.sku, item.title, item.free, item.split_at, item.split_total, applies, channels, sentence
    )  # fmt: skip


def _channels(
    item: Any,
    rows: Sequence[SoldRow],
    known: Mapping[str, Delays],
    off: Collection[tuple[str, str, int]],
    names: Mapping[Key, str],
) -> tuple[ChannelShare, ...]:
    intervals = _intervals(item.split_total, rows)
    divided = {channel.key: channel for channel in speeds.channels(rows, known, off)}
    found = {channel.key: channel for channel in speeds.channels(rows, known, ())} | divided
    selling = [channel for channel in divided.values() if channel.sales.most > 0]
    told = []
    for key, (start, stop) in intervals.items():
        channel = found.get(key)
        out = (*key, item.id) in off
        share = Split(item.split_at, item.split_total, start, stop).of(item.free)
        told.append(_told(key, names.get(key, _OWN_NAME), channel, selling, known, stop - start, share, out))
    return tuple(told)


def _intervals(total: int, rows: Sequence[SoldRow]) -> dict[Key, tuple[int, int]]:
    """The shares by channel, the best seller's first; the own store has those that no listing has."""
    kept = {(row.shop_id, row.sku_id): (row.split_from, row.split_to) for row in rows}
    inside = sorted(each for each in kept.values() if each[0] < each[1] and each != (0, total))
    start = 0
    for begins, ends in inside:
        if begins > start:
            return _by_weight({OWN: (start, begins)} | kept)
        start = ends
    return _by_weight({OWN: (start, total) if inside else (0, 0)} | kept)


def _by_weight(intervals: Mapping[Key, tuple[int, int]]) -> dict[Key, tuple[int, int]]:
    return dict(sorted(intervals.items(), key=lambda each: (each[1][0] - each[1][1], each[0])))


def _told(
    key: Key,
    name: str,
    channel: Channel | None,
    selling: Sequence[Channel],
    known: Mapping[str, Delays],
    weight: int,
    share: int,
    out: bool,
) -> ChannelShare:
    if channel is None:
        why = "nobody can buy from it now, or TikTok lets nobody set its number"
        return ChannelShare(name, *key, 1, 0, 0, 0, 0.0, 0.0, why, 0, weight, share, out)
    sales = channel.sales
    return ChannelShare(
        name, *key, channel.quantity, sales.most, sales.day, sales.hour, sales.per_hour, channel.delay,
        _delay_from(key, selling, known), channel.unnoticed if sales.most else 0, weight, share, out,
    )  # fmt: skip


def _delay_from(key: Key, selling: Sequence[Channel], known: Mapping[str, Delays]) -> str:
    """Where the delay of a channel comes from, in words."""
    others = [each.key[0] for each in selling if each.key not in (key, OWN)]
    parts = []
    if others:
        latest = max((known[shop] for shop in others), key=lambda delays: delays.notice)
        parts.append(f"{latest.notice:g} s until a sale is known here ({_MEASURED[latest.notice_measured]})")
    elif any(each.key == OWN for each in selling) and key != OWN:
        parts.append("sales in your own store are known at once")
    if key != OWN:
        mine = known[key[0]]
        parts.append(f"{mine.push:g} s until it is shown there ({_MEASURED[mine.push_measured]})")
    return ", ".join(parts) or "nothing else sells it"


def _sentence(free: int, at: int, total: int, applies: bool, channels: Sequence[ChannelShare]) -> str:
    if not channels:
        return "No listing sells it, so there is nothing to split."
    if applies:
        shares = ", ".join(f"{each.share:,} for {each.name}" for each in channels if each.weight and not each.left_out)
        return (
            f"These are the last units: {_units(free)} free, and up to {at:,} may sell before one channel knows of "
            f"another's sale. So each is offered in one place only: {shares}."
        )
    if total > 0:
        return (
            f"Up to {_units(at)} may sell before one channel knows of another's sale. With no more than that free, "
            f"each is offered in one place only; now there are {max(0, free):,}."
        )
    if sum(1 for each in channels if each.month) > 1 and any(each.left_out for each in channels):
        return "Your rule leaves it out of the split, so every channel offers all that is free."
    if sum(1 for each in channels if each.month) > 1:
        return (
            "It sells so seldom that two sales hardly ever meet before they are known everywhere, so nothing is split."
        )
    return "Only one channel sold any in 28 days, so nothing is split: every channel offers all that is free."


def _units(count: int) -> str:
    return f"{count:,} unit" if count == 1 else f"{count:,} units"
