"""Made-up buyers: an address that belongs to an order for ever, and the masked form in which the platform shows it."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

FIRST = (
    "Ada",
    "Bram",
    "Cleo",
    "Dara",
    "Eli",
    "Fay",
    "Gwen",
    "Hugo",
    "Iris",
    "Jude",
    "Kit",
    "Lena",
    "Milo",
    "Nell",
    "Otis",
    "Pia",
)
LAST = ("Sample", "Example", "Practice", "Mockford", "Testerly", "Fictive", "Placeholder", "Demos")
STREETS = ("Example Street", "Sample Lane", "Practice Road", "Mock Terrace", "Fiction Close", "Demo Square")
TOWNS = (
    ("Bristol", "England", "BS1 0AA"), ("Leeds", "England", "LS1 0AA"), ("Glasgow", "Scotland", "G1 0AA"),
    ("Cardiff", "Wales", "CF10 0AA"), ("Norwich", "England", "NR1 0AA"), ("Whitby", "England", "YO21 0AA"),
)  # fmt: skip


def address_of(seed: int, order_id: int) -> JSON:
    """The recipient of an order, in the clear."""
    mix = (order_id // 100_003 * 2_654_435_761 + seed * 97) & 0xFFFFFFFF
    first, last = FIRST[mix & 15], LAST[mix >> 4 & 7]
    town, nation, postcode = TOWNS[(mix >> 8) % len(TOWNS)]
    street = f"{1 + (mix >> 12) % 180} {STREETS[(mix >> 20) % len(STREETS)]}"
    return {
        "name": f"{first} {last}", "first_name": first, "last_name": last,
        "phone_number": f"(+44)7700900{mix % 1000:03d}",
        "postal_code": postcode, "region_code": "GB", "address_line1": street, "address_detail": street,
        "post_town": town,
        "full_address": f"{street}, {town}, {postcode}, United Kingdom",
        "district_info": [
            {"address_level": "L0", "address_level_name": "Country", "address_name": "United Kingdom"},
            {"address_level": "L1", "address_level_name": "Nation", "address_name": nation},
        ],
    }  # fmt: skip


def hide(address: JSON) -> JSON:
    """The same address as the platform shows it when it ships itself, or after the order is gone."""
    name = "".join(f"{part[0]}*** " for part in str(address.get("name", "")).split()).strip()
    return {
        "name": name, "phone_number": "(+44)*****" + str(address.get("phone_number", ""))[-2:], "region_code": "GB",
        "postal_code": str(address.get("postal_code", ""))[:2] + "***", "address_line1": "****",
        "address_detail": "****",
        "full_address": "United Kingdom, ****", "district_info": address.get("district_info", [])[:1],
    }  # fmt: skip
