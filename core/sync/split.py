"""The split of an item's last units between the channels that sell it: pure arithmetic, nothing read, nothing written.

While plenty is there, every channel offers all of it. What may sell on all channels before one knows of another's sale
are the last units: of those each channel offers a share of its own, so that no unit is offered twice.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

SURE = 0.999  # how surely a channel sells no more than its number of units before it knows of the sales elsewhere
MONTH_HOURS = 28 * 24
FINEST = 100  # shares are counted in hundredths at most, so that they do not change with every sale
_MANY = 500.0  # from so many on, the units are reckoned by the normal curve
_FAR = 3.0902  # where the normal curve leaves one in a thousand
Key = tuple[str, str]
OWN: Key = ("", "")


@dataclass(frozen=True, slots=True)
class Sales:
    """Units of the item sold on one channel in 28 days, 24 hours and one hour; one sale takes `step` of them."""

    month: int = 0
    day: int = 0
    hour: int = 0
    step: int = 1

    @property
    def per_hour(self) -> float:
        """Units an hour by the busiest of the three spans, so that a peak counts while it lasts."""
        return max(self.most / MONTH_HOURS, self.day / 24, float(self.hour))

    @property
    def most(self) -> int:
        """Units in 28 days, those included that are not in the daily sums yet."""
        return max(self.month, self.day, self.hour, 0)


@dataclass(frozen=True, slots=True)
class Channel:
    """One place where an item is sold: a listing by (shop, SKU), or OWN for the owner's own store.

    `delay` is for how many seconds a sale elsewhere stays unknown to it. It sells `quantity` units at a time at least.
    """

    key: Key
    sales: Sales
    delay: float
    quantity: int = 1

    @property
    def unnoticed(self) -> int:
        """The units it may sell before it knows of a sale elsewhere, 999 times of 1,000."""
        return self.sales.step * most_in(self.sales.per_hour / self.sales.step * self.delay / 3600)


@dataclass(frozen=True, slots=True)
class Division:
    """How an item's last units are divided: with no more than `at` free, by intervals of `total` shares by channel."""

    at: int = 0
    total: int = 0
    parts: tuple[tuple[Key, int, int], ...] = ()

    def of(self, key: Key) -> tuple[int, int]:
        """The shares of a channel, from and to; none for a channel that has no part in the division."""
        return next(((start, stop) for each, start, stop in self.parts if each == key), (0, 0))


WHOLE = Division()


@lru_cache(maxsize=4096)
def most_in(mean: float, sure: float = SURE) -> int:
    """The smallest n with P(at most n) of `sure`, for events that come independently, `mean` of them on average."""
    if mean <= 0:
        return 0
    if mean > _MANY:
        return math.ceil(mean + _FAR * math.sqrt(mean) + (_FAR * _FAR - 1) / 6) + 1
    term = total = math.exp(-mean)
    count = 0
    while total < sure:
        count += 1
        term *= mean / count
        total += term
    return count


def weights(sold: Sequence[int]) -> list[int]:
    """Units sold by channel as small whole numbers, at most about a hundred together; who sells at all has one."""
    total = sum(sold)
    if total <= FINEST:
        return list(sold)
    return [max(1, (units * FINEST + total // 2) // total) if units else 0 for units in sold]


def divide(channels: Iterable[Channel]) -> Division:
    """Divide an item's last units between these channels by what each sold in 28 days.

    A channel that sold nothing has no share, and where fewer than two sell there is nothing to divide. The shares end
    with the best seller's, so that the very last unit is his; one who sells several at a time could not sell it.
    """
    selling = [channel for channel in channels if channel.sales.most > 0]
    at = sum(channel.unnoticed for channel in selling)
    if len(selling) < 2 or at == 0:
        return WHOLE
    selling.sort(key=lambda channel: (-channel.quantity, channel.sales.most, channel.key))
    parts: list[tuple[Key, int, int]] = []
    stop = 0
    for channel, weight in zip(selling, weights([channel.sales.most for channel in selling]), strict=True):
        start, stop = stop, stop + weight
        parts.append((channel.key, start, stop))
    return Division(at, stop, tuple(parts))


def delay(key: Key, notice: Mapping[Key, float], push: float) -> float:
    """For how many seconds a sale elsewhere stays unknown to a channel: until we know of it, and it is told.

    `notice` are the seconds until we know of a sale on each of the item's channels; `push` those until this one shows
    what we know, none for the own store.
    """
    return max((seconds for each, seconds in notice.items() if each != key), default=0.0) + push


def room(free: int, others_shown: int) -> int:
    """How many of the last units may be shown here: what is left of `free` by all that others may still be showing.

    `others_shown` is the worst case of each other channel: what was last read there, or the number of a write of which
    no reading has told yet where that is more, and the share that is left for the own store.
    """
    return max(0, free - others_shown)
