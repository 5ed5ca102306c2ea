"""The practice shop: a faithful local simulator of the TikTok Shop Open API, spoken to over real signed HTTP."""

from core.practice.answers import NotPossible
from core.practice.identity import CREDENTIALS, Credentials
from core.practice.server import PracticeServer, run_standalone, serve
from core.practice.shop import PracticeShop
from core.practice.stock import Held, Truth

__all__ = [
    "CREDENTIALS",
    "Credentials",
    "Held",
    "NotPossible",
    "PracticeServer",
    "PracticeShop",
    "Truth",
    "run_standalone",
    "serve",
]
