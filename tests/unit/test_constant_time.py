"""Secrets are compared in a time that tells nothing about them."""

import hmac

import pytest

from core.tiktok import signing


def test_a_webhook_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    right = signing.webhook_signature("made-up-key", "made-up-secret", b"{}")
    assert signing.verify_webhook("made-up-key", "made-up-secret", b"{}", right)
    assert compared == [(right.encode(), right.encode())]
