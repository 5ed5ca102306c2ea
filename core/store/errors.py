"""What can go wrong with the store, each with a sentence for the owner.

StoreProblem
├── StoreLocked      another program holds it
├── StoreReadOnly    file or folder cannot be written
├── StoreFull        the disk is full
├── StoreDamaged     the file is not a sound database
└── StoreNewer       a newer Evenstock wrote it
"""


class StoreProblem(Exception):
    """The store cannot be used right now."""

    sentence = "The store could not be used."
    next_step = "Start Evenstock again. If it happens again, restore last night's backup."

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.sentence} {self.next_step}" + (f" ({detail})" if detail else ""))
        self.detail = detail


class StoreLocked(StoreProblem):
    """Another program holds the database."""

    sentence = "Another program is using the store file, so nothing could be saved."
    next_step = "Close the other program (perhaps a database viewer or a backup tool); Evenstock tries again by itself."


class StoreReadOnly(StoreProblem):
    """File or folder cannot be written."""

    sentence = "The store file cannot be written."
    next_step = "Allow your user to write to the data folder, then start Evenstock again."


class StoreFull(StoreProblem):
    """No room on the disk."""

    sentence = "The disk is full, so nothing could be saved. Nothing was lost."
    next_step = "Free some space; Evenstock goes on by itself."


class StoreDamaged(StoreProblem):
    """The file is no sound database."""

    sentence = "The store file is damaged."
    next_step = "Stop Evenstock and restore the newest backup: python -m core restore FILE."


class StoreNewer(StoreProblem):
    """A newer version of the program wrote it."""

    sentence = "This store was written by a newer Evenstock."
    next_step = "Start the newer version, or use another data folder with EVENSTOCK_DATA_DIR."


def explain(error: Exception) -> StoreProblem | None:
    """The store problem behind a database error, or None when it is none that an owner can act on."""
    text = str(error).lower()
    for words, kind in (
        (("database is locked", "database table is locked", "database is busy"), StoreLocked),
        (("readonly database", "unable to open database", "permission denied", "read-only file system"), StoreReadOnly),
        (("database or disk is full", "disk i/o error", "no space left"), StoreFull),
        (("malformed", "not a database", "file is encrypted"), StoreDamaged),
    ):
        if any(word in text for word in words):
            return kind(str(getattr(error, "orig", error)))
    return None
