"""The empty file that an owner fills in: our header and two example rows."""

import csv
import io

from core.storefront.csv_header import FIELDS

_EXAMPLES = (
    ("TEE-RED-M", "Cotton tee", "Red / M", "19.90", "GBP", "7.20", "5012345678900", "25"),
    ("0042", "Enamel mug", "", "12.00", "GBP", "", "", "0"),
)


def template() -> bytes:
    """A CSV file in UTF-8 with a byte order mark, so that spreadsheets read it right; delete its two examples."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(FIELDS)
    writer.writerows(_EXAMPLES)
    return stream.getvalue().encode("utf-8-sig")
