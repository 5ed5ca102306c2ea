"""When people buy and what becomes of an order: the week's rhythm and each order's fate, both fixed by the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

from core.practice.identity import ZONE

MINUTE, HOUR, DAY = 60, 3_600, 86_400
HOLD_SECONDS = HOUR  # TikTok Shop API: ON_HOLD lasts one hour after payment
PAYMENT_SECONDS = DAY

# Share of a day's orders in each hour of the shop's own clock, and of a week's in each day from Monday.
HOURS = (
    0.9,
    0.5,
    0.3,
    0.2,
    0.2,
    0.4,
    1.0,
    2.0,
    3.2,
    4.0,
    4.4,
    4.8,
    5.6,
    5.2,
    4.4,
    4.2,
    4.6,
    5.4,
    6.6,
    8.2,
    9.6,
    9.2,
    6.2,
    2.6,
)
WEEKDAYS = (0.94, 0.88, 0.90, 0.96, 1.04, 1.12, 1.22)
GROWTH_A_DAY = 0.0035
_ZONE = ZoneInfo(ZONE)
_HOURLY_SCALE = 24 / sum(HOURS)


def weight_at(moment: float, since: float) -> float:
    """How busy the shop is at a moment, 1.0 being an average hour of the day at `since` (both Unix seconds)."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(_ZONE)
    growth = 1 + GROWTH_A_DAY * max(0.0, moment - since) / DAY
    return HOURS[local.hour] * _HOURLY_SCALE * WEEKDAYS[local.weekday()] * growth


def draws(seed: int, number: int) -> tuple[int, ...]:
    """Sixteen independent draws of 0..65535 that belong to an order for ever."""
    digest = blake2b(b"%d" % number, key=b"%d" % seed, digest_size=32).digest()
    return tuple(digest[i] << 8 | digest[i + 1] for i in range(0, 32, 2))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to an order next, and how many seconds after it reached its status."""

    action: str
    after: int
    detail: str = ""


# An order made by hand: no surprises, only the documented timers and a shop that ships the next day.
BY_HAND = {
    "UNPAID": Step("expire", PAYMENT_SECONDS),
    "ON_HOLD": Step("release", HOLD_SECONDS),
    "AWAITING_SHIPMENT": Step("ship", DAY),
    "PARTIALLY_SHIPPING": Step("ship", DAY),
    "AWAITING_COLLECTION": Step("collect", 6 * HOUR),
    "IN_TRANSIT": Step("deliver", 2 * DAY),
    "DELIVERED": Step("complete", 7 * DAY),
}


def next_step(status: str, fate: tuple[int, ...], by_hand: bool) -> Step | None:
    """The next thing that happens by itself to an order in `status`; None when its life is over."""
    if by_hand or status not in _FATES:
        return BY_HAND.get(status)
    return _FATES[status](fate)


def _unpaid(fate: tuple[int, ...]) -> Step:
    if fate[0] < 2_000:  # 3 % never pay
        return Step("expire", PAYMENT_SECONDS)
    if fate[0] < 3_000:
        return Step("cancel", 5 * MINUTE + fate[1] % HOUR, "BUYER")
    if fate[0] < 12_000:
        return Step("pay", 2 * MINUTE + fate[1] % (28 * MINUTE))
    return Step("pay", fate[1] % 40)


def _on_hold(fate: tuple[int, ...]) -> Step:
    if fate[2] < 2_000:
        return Step("cancel", 4 * MINUTE + fate[3] % (50 * MINUTE), "BUYER")
    return Step("release", HOLD_SECONDS)


def _awaiting_shipment(fate: tuple[int, ...]) -> Step:
    if fate[2] > 64_300:  # 2 % are called off before they leave the house
        return Step("cancel", HOUR + fate[3] % (8 * HOUR), "BUYER" if fate[3] & 1 else "SELLER")
    return Step("ship", 3 * HOUR + fate[4] % (18 * HOUR) + fate[5] % (6 * HOUR))


def _delivered(fate: tuple[int, ...]) -> Step:
    if fate[6] < 2_700:  # 4 % come back
        return Step("return", DAY + fate[7] * 3)
    return Step("complete", 7 * DAY)


_FATES = {
    "UNPAID": _unpaid,
    "ON_HOLD": _on_hold,
    "AWAITING_SHIPMENT": _awaiting_shipment,
    "AWAITING_COLLECTION": lambda fate: Step("collect", 2 * HOUR + fate[8] % (8 * HOUR)),
    "IN_TRANSIT": lambda fate: Step("deliver", 20 * HOUR + fate[9] * 3),
    "DELIVERED": _delivered,
}


def units_of(draw: int) -> int:
    """How many units an order has: mostly one."""
    return 1 if draw < 47_000 else 2 if draw < 59_000 else 3 if draw < 63_500 else 4 + draw % 3


def gap_until_next(draw: float, weight: float, per_day: float) -> float:
    """Seconds until the next order when the shop is as busy as `weight`; `draw` is in (0, 1]."""
    return -math.log(draw) * DAY / max(per_day * weight, 0.01)
