"""Strategies compared on the same days: python -m tests.bench.strategies [--seeds 40] [--first 1] [--minutes 12].

Every seed is lived through by every strategy before the next one begins, so that a run that is cut short by its minutes
of processor time still compares like with like. It prints what docs/performance.md holds under "Strategies compared".
"""

import argparse
import logging
import time
from collections import defaultdict

from core import clock
from tests.simulation.desk import NOON
from tests.simulation.market import Tally, in_one_thread, new_shop
from tests.simulation.strategies import STRATEGIES, day


def main() -> None:
    """Run and print."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--seeds", type=int, default=40)
    wanted.add_argument("--first", type=int, default=1)
    wanted.add_argument("--minutes", type=float, default=12.0)
    given = wanted.parse_args()
    logging.disable(logging.CRITICAL)
    found: dict[str, list[Tally]] = defaultdict(list)
    done = 0
    with in_one_thread():
        with clock.turned(NOON) as turned:
            shop = new_shop(turned)
        for seed in range(given.first, given.first + given.seeds):
            for name in STRATEGIES:
                found[name].append(day(name, seed, shop))
            done += 1
            print(f"seed {seed}, {time.process_time() / 60:.1f} min of processor time", flush=True)
            if done % 5 == 0:
                show(found)
            if time.process_time() > given.minutes * 60:
                break
    show(found)


def show(found: dict[str, list[Tally]]) -> None:
    """The table so far."""
    columns = f"{'strategy':29}{'sold':>7}{'oversold':>10}{'refused':>9}{'wrong %':>9}{'writes':>8}"
    print(f"\n{columns}\n{'':29}{'':>7}{'per 1,000':>10}{'per 1,000':>9}{'':>9}{'per unit':>8}")
    for name, days in found.items():
        sold = sum(each.sold for each in days)
        row = [sum(getattr(each, what) for each in days) for what in ("oversold", "lost", "writes", "wrong")]
        over, lost, writes, wrong = row
        per = 1000 / sold
        print(
            f"{name:29}{sold:>7,}{over * per:>10.2f}{lost * per:>9,.0f}{100 * wrong / len(days):>9.0f}"
            f"{writes / sold:>8.2f}"
        )
    print(f"{len(next(iter(found.values())))} days each", flush=True)


if __name__ == "__main__":
    main()
