"""The practice shop in a process of its own, so that its work is not counted as ours."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from core.practice import PracticeShop, serve
from tests.bench.harness import ROOT, cache, environment

SEED = 7


@dataclass(frozen=True)
class Shop:
    """A running practice shop and its control routes."""

    url: str

    def turn(self, **settings: Any) -> None:
        """Turn its switches: rate, burst, latency_ms, …"""
        self.ask("settings", **settings)

    def ask(self, route: str, **wish: Any) -> dict[str, Any]:
        """Post to a control route."""
        found: dict[str, Any] = httpx.post(f"{self.url}/practice/{route}", json=wish, trust_env=False).json()
        return found

    def truth(self, sku_id: str) -> dict[str, Any]:
        """What it really has of one SKU."""
        found: dict[str, Any] = self.get(f"state?sku={sku_id}")["skus"][0]
        return found

    def get(self, route: str) -> dict[str, Any]:
        """Read a control route."""
        found: dict[str, Any] = httpx.get(f"{self.url}/practice/{route}", trust_env=False, timeout=30).json()
        return found

    def requests(self) -> dict[str, int]:
        """Requests by endpoint since the last reset."""
        found: dict[str, int] = self.get("log?last=1")["by_endpoint"]
        return found


@contextmanager
def practice(
    *,
    products: int = 120,
    orders: int = 0,
    rate: float = 5_000,
    burst: float = 0,
    latency_ms: float = 0,
    keep: bool = True,
) -> Iterator[Shop]:
    """A practice shop that stands still but for what is asked of it; filled once and kept for further runs."""
    with tempfile.TemporaryDirectory(prefix="evenstock-shop-", ignore_cleanup_errors=True) as temporary:
        place = (cache() if keep else Path(temporary)) / f"shop-{products}-{orders}.db"
        command = [
            sys.executable, "-m", "tests.bench.shops", str(place), "--products", str(products), "--orders", str(orders),
            "--rate", str(rate), "--burst", str(burst), "--latency", str(latency_ms),
        ]  # fmt: skip
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment(Path(temporary)), stdin=pipe, stdout=pipe, text=True
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield Shop(json.loads(child.stdout.readline())["url"])
        finally:
            child.stdin.close()
            child.wait(timeout=20)


def _serve() -> None:
    """Serve until standard input is closed, which also happens when the parent dies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", type=Path)
    parser.add_argument("--products", type=int)
    parser.add_argument("--orders", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--burst", type=float)
    parser.add_argument("--latency", type=float)
    given = parser.parse_args()
    shop = PracticeShop(
        given.place, seed=SEED, products=given.products, orders=given.orders, rate=given.rate, burst=given.burst or None
    )
    shop.change_settings(latency_ms=given.latency)
    with serve(shop) as server:
        sys.stdout.write(json.dumps({"url": server.base_url}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    shop.close()


if __name__ == "__main__":
    _serve()
