"""From bytes to lines: which encoding a file has, whether it is text at all, and lines that never fill the memory."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

MOST_BYTES = 200 * 1024 * 1024
_HEAD = 64 * 1024
_BLOCK = 1024 * 1024
_RECORD = 4 * 1024 * 1024  # characters of one row, over all its lines
_KINDS = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3\x00", "a database"),
)
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r"
_CONTROLS = bytes(set(range(32)) - set(_TEXT_CONTROLS))


class NotText(Exception):
    """The bytes cannot be read as rows of text; its text is the sentence for the owner."""


def open_bytes(source: Path | bytes) -> BinaryIO:
    """The source as a stream that can be read again; raises NotText when it is missing, empty, too large or no text."""
    stream: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else _open_file(source)
    try:
        _refuse_other_files(stream)
    except BaseException:
        stream.close()
        raise
    return stream


def _open_file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotText(f"There is no file {path}. Check the name and the folder.") from error
    except OSError as error:
        raise NotText(f"The file {path} cannot be opened: {error.strerror or error}.") from error


def _refuse_other_files(stream: BinaryIO) -> None:
    head = stream.read(_HEAD)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise NotText("The file is empty. Nothing was changed; an empty file never means no stock.")
    if size > MOST_BYTES:
        raise NotText("The file is larger than 200 MB. Leave out columns that are not needed, or split it.")
    for mark, kind in _KINDS:
        if head.startswith(mark):
            raise NotText(f"This is {kind}, not a CSV file. In your spreadsheet choose Save as, then CSV UTF-8.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if not _byte_order(head) and controls >= 8 and controls * 10 > len(head):
        raise NotText("This is no text file. In your spreadsheet choose Save as, then CSV UTF-8.")


def _byte_order(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else ""


def encoding_of(stream: BinaryIO) -> str:
    """utf-8-sig, utf-16 or utf-32 by the mark at the start, else utf-8 when every byte fits, else cp1252."""
    marked = _byte_order(stream.read(4))
    stream.seek(0)
    if marked:
        return marked
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)  # a character cut off at the very end is no sign of another encoding
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        stream.seek(0)
    return "utf-8"


def head_of(stream: BinaryIO, encoding: str) -> str:
    """The first characters, to find out how columns are divided."""
    head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(stream.read(_HEAD))
    stream.seek(0)
    return head


class Lines:
    """Lines for a CSV reader, each with its end; refuses a row of more than four million characters."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._spent = 0

    def row_done(self) -> None:
        """Begin to count the next row."""
        self._spent = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_RECORD + 1)
        self._spent += len(line)
        if self._spent > _RECORD:
            raise NotText(
                "The row is longer than four million characters. Most often a quotation mark before it is not closed."
            )
        if not line:
            raise StopIteration
        return line
