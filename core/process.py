"""The one object that owns store, clients, practice shop and loop: start(), stop()."""

import sqlite3
import sys
import threading
from pathlib import Path

from core import desks, embedded, logs
from core.desks import PRACTICE
from core.jobs import Loop
from core.lock import ProcessLock
from core.practice.desk import PracticeDesk
from core.sessions import Sessions, buyer_salt, open_sessions
from core.settings import Settings
from core.store.engine import Store, open_store
from core.store.errors import StoreReadOnly, explain
from core.store.vault import Vault, vault_key
from core.tiktok.api import ShopApi
from core.tiktok.auth import App

# Seconds that a thread with work keeps the interpreter while others wait for it: a page shares it with the whole loop,
# and Python's own 0.005 would be felt many times in one query.
SWITCH = 0.001


class NotOwner(Exception):
    """This process may only read."""


class Process:
    """One running Evenstock. The first process on a data folder owns the jobs; another one only reads."""

    def __init__(self, settings: Settings, *, port: int | None = None) -> None:
        self.settings = settings
        self.port = port
        self.folder = settings.evenstock_data_dir
        self.owner = False
        self.owner_note = ""
        self.store: Store
        self.vault: Vault
        self.practice: PracticeDesk | None = None
        self._lock = ProcessLock(self.folder / "instance.lock")
        self._embedded: embedded.Embedded | None = None
        self._sessions: Sessions | None = None
        self._loop: Loop | None = None
        self._switching = threading.Lock()

    @property
    def sessions(self) -> Sessions:
        """The open clients; raises NotOwner in a process that only reads."""
        if self._sessions is None:
            raise NotOwner(self.owner_note)
        return self._sessions

    @property
    def is_practice(self) -> bool:
        """Whether this is the practice shop's desk."""
        return self.desk == PRACTICE

    def start(self, *, loop: bool = True) -> None:
        """Open everything; `loop` False leaves the background work out (for one command). Raises StoreProblem."""
        sys.setswitchinterval(SWITCH)
        self.owner = self._take_over()
        if not self.owner:
            self.owner_note = (
                "Evenstock is already running on this data folder. This window reads, the other one works."
            )
        try:
            self._open(desks.in_use(self.settings))
        except BaseException:
            if self._embedded is not None:
                self._embedded.stop()
            self._lock.release()
            raise
        if self.owner and loop:
            self._start_loop()

    def _take_over(self) -> bool:
        """Make the data folder ready; whether this process now owns it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            logs.write_to(self.folder / "logs")
            return self._lock.acquire(0.5)  # a command may look for a moment whether it is free
        except (OSError, sqlite3.Error) as error:
            raise explain(error) or StoreReadOnly(str(error)) from error

    def stop(self) -> None:
        """Stop the work, close everything, let go of the lock."""
        self._close()
        self._lock.release()

    def _open(self, desk: str) -> None:
        self.desk = desk
        practice = desk == PRACTICE
        folder = self.folder / "practice" if practice else self.folder
        folder.mkdir(parents=True, exist_ok=True)
        key = vault_key(self.settings)
        self.store = open_store(desks.store_url(self.settings, desk))
        self.vault = Vault(self.store, key)
        apps: dict[str, App] = {}
        if practice:
            apps = self._open_practice(folder)
        if self.owner:
            self._sessions = open_sessions(self.store, self.vault, buyer_salt(key), self.folder, apps)
        if self._embedded is not None and self.port is not None:
            for shop in self.sessions.shops:
                if isinstance(shop.api, ShopApi):
                    self._embedded.listen(f"http://127.0.0.1:{self.port}/hooks/tiktok", shop.api)

    def _open_practice(self, folder: Path) -> dict[str, App]:
        if not self.owner:
            address = embedded.address(folder)
            self.practice = PracticeDesk(address) if address else None
            return {}
        self._embedded = embedded.start(folder, self.settings.evenstock_practice_orders)
        embedded.connect(self._embedded, self.store, self.vault, self.folder)
        self.practice = PracticeDesk(self._embedded.server.base_url)
        return {PRACTICE: self._embedded.app}

    def _start_loop(self) -> None:
        interval = self.settings.tiktok_shop_sync_interval
        self._loop = Loop(self.store, self.sessions.shops, self.folder, interval)
        self._loop.start()

    def _close(self) -> None:
        if self._sessions is not None:
            self._sessions.stop.set()
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        if self._sessions is not None:
            self._sessions.close()
            self._sessions = None
        if self.practice is not None:
            self.practice.close()
            self.practice = None
        if self._embedded is not None:
            self._embedded.stop()
            self._embedded = None
        self.store.close()

    def _change_over(self, desk: str) -> None:
        looping = self._loop is not None
        self._close()
        self._open(desk)
        if looping:
            self._start_loop()

    def _must_own(self) -> None:
        if not self.owner:
            raise NotOwner(self.owner_note)

    def _working(self) -> Loop:
        self._must_own()
        if self._loop is None:
            raise NotOwner("The loop is not running in this process.")
        return self._loop
