"""Authorisation as TikTok does it: a code from the consent page, tokens with absolute expiry, rotating refresh."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from core.practice.answers import Refusal
from core.practice.ground import Ground
from core.practice.identity import CREDENTIALS, JSON, OPEN_ID, REGION, SCOPES, SHOP_NAME

CODE_SECONDS = 30 * 60

# TikTok Shop API: "Errors of the auth host".
BAD_CODE = (36004004, "invalid auth code")
REFRESH_EXPIRED = (36004001, "rt has expired")
NO_RECORD = (36004005, "can not find related auth record")


@dataclass(frozen=True)
class Pass:
    """What an access token allows."""

    grant_id: int
    scopes: frozenset[str]


class Auth:
    """Codes, grants and tokens of the one practice app."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def new_code(self) -> str:
        """The seller says yes: a code for one use within thirty minutes."""
        code = "ROW_practice_" + secrets.token_urlsafe(24)
        with self._ground.world.write() as db:
            db.execute("INSERT INTO codes VALUES (?, ?, 0)", (code, self._ground.now() + CODE_SECONDS))
        return code

    def get_tokens(self, query: dict[str, str]) -> JSON:
        """`/api/v2/token/get`; raises Refusal with the documented codes."""
        self._check_app(query, "authorized_code")
        with self._ground.world.write() as db:
            code = query.get("auth_code", "")
            used = db.execute(
                "UPDATE codes SET used = 1 WHERE code = ? AND used = 0 AND expires_at > ?", (code, self._ground.now())
            ).rowcount
            if not used:
                raise Refusal(*BAD_CODE, status=200)
            ends_at = self._ground.now() + self._ground.settings.authorisation_seconds
            grant = db.execute("INSERT INTO grants VALUES (NULL, ?, 0, ?)", (ends_at, " ".join(SCOPES))).lastrowid
            return self._issue(db, int(grant or 0), ends_at, SCOPES)

    def refresh(self, query: dict[str, str]) -> JSON:
        """`/api/v2/token/refresh`; with rotation the refresh token that was shown is dead at once."""
        self._check_app(query, "refresh_token")
        token = query.get("refresh_token", "")
        with self._ground.world.write() as db:
            row = db.execute(
                "SELECT g.id, g.ends_at, g.scopes, t.expires_at FROM tokens t JOIN grants g ON g.id = t.grant_id "
                "WHERE t.token = ? AND t.kind = 'refresh' AND t.spent = 0 AND g.revoked = 0",
                (token,),
            ).fetchone()
            if row is None:
                raise Refusal(*NO_RECORD, status=200)
            if row[3] <= self._ground.now():
                raise Refusal(*REFRESH_EXPIRED, status=200)
            rotates = self._ground.settings.rotation
            if rotates:
                db.execute("UPDATE tokens SET spent = 1 WHERE token = ?", (token,))
            return self._issue(db, row[0], row[1], row[2].split(), None if rotates else token)

    def check(self, token: str) -> Pass:
        """What this access token allows; raises Refusal as the gateway does for an unknown, revoked or expired one."""
        with self._ground.world.read() as db:
            row = db.execute(
                "SELECT t.expires_at, g.id, g.scopes, g.revoked FROM tokens t JOIN grants g ON g.id = t.grant_id "
                "WHERE t.token = ? AND t.kind = 'access'",
                (token,),
            ).fetchone()
        if row is None or row[3]:
            raise Refusal(36009004, "Invalid credentials. The 'x-tts-access-token' header is invalid.")
        if row[0] <= self._ground.now():
            raise Refusal(105002, "Expired credentials. The access token is expired, please refresh it.")
        return Pass(row[1], frozenset(row[2].split()))

    def expire_access_tokens(self) -> None:
        """Every access token handed out so far is expired from now on."""
        with self._ground.world.write() as db:
            db.execute("UPDATE tokens SET expires_at = min(expires_at, ?) WHERE kind = 'access'", (self._ground.now(),))

    def revoke(self) -> None:
        """The seller takes the authorisation back; only a new consent helps."""
        with self._ground.world.write() as db:
            db.execute("UPDATE grants SET revoked = 1")

    def sooner(self, db: sqlite3.Connection, seconds: float) -> None:
        """Codes, tokens and authorisations run out that much sooner."""
        db.execute("UPDATE codes SET expires_at = expires_at - ?", (seconds,))
        db.execute("UPDATE tokens SET expires_at = expires_at - ?", (seconds,))
        db.execute("UPDATE grants SET ends_at = ends_at - ?", (seconds,))

    def _issue(
        self,
        db: sqlite3.Connection,
        grant: int,
        ends_at: float,
        scopes: tuple[str, ...] | list[str],
        keep: str | None = None,
    ) -> JSON:
        """A new access token, and a refresh token that ends with the authorisation; both times are absolute."""
        access, refresh = "ROW_" + secrets.token_urlsafe(32), keep or "ROW_" + secrets.token_urlsafe(32)
        access_ends = min(self._ground.now() + self._ground.settings.access_token_seconds, ends_at)
        rows = [(access, "access", grant, access_ends, 0), (refresh, "refresh", grant, ends_at, 0)]
        db.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?)", rows)
        return {
            "access_token": access, "access_token_expire_in": int(access_ends), "refresh_token": refresh,
            "refresh_token_expire_in": int(ends_at), "open_id": OPEN_ID, "seller_name": SHOP_NAME,
            "seller_base_region": REGION, "user_type": 0, "granted_scopes": list(scopes),
        }  # fmt: skip

    @staticmethod
    def _check_app(query: dict[str, str], grant_type: str) -> None:
        if query.get("app_key") != CREDENTIALS.app_key:
            raise Refusal(36009004, "Invalid credentials. The 'app_key' is invalid.", status=200)
        if query.get("app_secret") != CREDENTIALS.app_secret:
            raise Refusal(36009004, "Invalid credentials. The 'app_secret' does not belong to this app.", status=200)
        if query.get("grant_type") != grant_type:
            raise Refusal(36009004, f"param query.grant_type is invalid, expected {grant_type}", status=200)
