"""Sums kept as orders arrive, and the figures read from them."""
