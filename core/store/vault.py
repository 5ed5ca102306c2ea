"""Secrets at rest: AES-256-GCM under a key that lies outside the data folder."""

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import delete, select

from core import clock
from core.settings import Settings, config_folder
from core.store.engine import Store
from core.store.tables import Secret
from core.store.upsert import table, upsert

_SECRET = table(Secret)


class VaultLocked(Exception):
    """The key does not open a stored secret."""

    sentence = "The saved sign-in cannot be opened, because the key of this computer is missing or has changed."
    next_step = "Connect the shop again; orders, stock and settings are all still here."

    def __init__(self) -> None:
        super().__init__(f"{self.sentence} {self.next_step}")


class Vault:
    """Named secrets in the store, sealed; a name is bound to its value, so rows cannot be swapped."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._cipher = AESGCM(key)

    def put(self, name: str, value: bytes) -> None:
        """Seal and save; durable when it returns."""
        nonce = os.urandom(12)
        sealed = nonce + self._cipher.encrypt(nonce, value, name.encode())
        with self._store.write(urgent=True) as connection:
            upsert(connection, Secret, [{"name": name, "sealed": sealed, "updated_at": clock.now_ms()}])

    def get(self, name: str) -> bytes | None:
        """The value, or None when there is none; raises VaultLocked."""
        with self._store.read() as connection:
            sealed = connection.execute(select(_SECRET.c.sealed).where(_SECRET.c.name == name)).scalar()
        if sealed is None:
            return None
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], name.encode())
        except InvalidTag as error:
            raise VaultLocked from error

    def remove(self, name: str) -> None:
        """Forget a secret."""
        with self._store.write(urgent=True) as connection:
            connection.execute(delete(_SECRET).where(_SECRET.c.name == name))


def vault_key(settings: Settings, folder: Path | None = None) -> bytes:
    """The 32-byte key: from EVENSTOCK_KEY, or from a key file that only its owner can read, made at first use."""
    given = settings.evenstock_key.get_secret_value()
    if given:
        return Scrypt(salt=b"evenstock store key", length=32, n=2**14, r=8, p=1).derive(given.encode())
    file = (folder or config_folder()) / "store.key"
    if not file.exists():
        _create(file)
    return base64.urlsafe_b64decode(file.read_bytes().strip())


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(fresh, file)  # never replaces: the first of two processes wins
    except FileExistsError:
        pass
    except OSError:
        if not file.exists():
            fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
