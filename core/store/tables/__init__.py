"""Every table of the store, by what it holds.

Columns named `*_at` hold our milliseconds, `*_time` TikTok's seconds, `*_units` ten-thousandths of money.
"""

from core.store.tables.desk import Location, Revision, Secret, Setting, Shop, Warehouse
from core.store.tables.goods import Item, Level, Link, Listing, Movement, Oversell, Rule, Stock
from core.store.tables.reading import Cursor, Hook, Quarantine, ScanWindow, Shown
from core.store.tables.sales import Order, OrderLine, SalesDay, SalesHour
from core.store.tables.sending import Drift, Outbox, Push
from core.store.tables.work import Plan, PlanRow, Run, RunRow

__all__ = [
    "Cursor",
    "Drift",
    "Hook",
    "Item",
    "Level",
    "Link",
    "Listing",
    "Location",
    "Movement",
    "Order",
    "OrderLine",
    "Outbox",
    "Oversell",
    "Plan",
    "PlanRow",
    "Push",
    "Quarantine",
    "Revision",
    "Rule",
    "Run",
    "RunRow",
    "SalesDay",
    "SalesHour",
    "ScanWindow",
    "Secret",
    "Setting",
    "Shop",
    "Shown",
    "Stock",
    "Warehouse",
]
