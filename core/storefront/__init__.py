"""The owner's own store, behind one small protocol; files and the built-in store."""
