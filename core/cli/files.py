"""`import`, `export`, `backup` and `restore`: everything that comes from a file or ends in one."""

import sys
from pathlib import Path

import typer

from core.cli import out
from core.cli.desk import BUSY, reading, store_file, working
from core.lock import ProcessLock
from core.settings import Settings, settings
from core.store import backup
from core.sync import exports, imports
from core.sync.imports import ImportRefused, Preview


def import_csv(file: Path, *, partial: bool, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Bring a CSV file in, or show what that would do; returns the exit code."""
    if not file.is_file():
        raise out.Problem(f"There is no file {file}.", "Check the name.", out.WRONG_USE)
    if dry_run:
        with reading() as reader:
            seen = imports.preview(reader.store, file)
        return _tell_preview(seen, as_json)
    with working() as runtime:
        try:
            result = imports.apply(runtime.store, file, partial=partial, confirmed=yes, actor="cli")
        except ImportRefused as refusal:
            if not _agreed(refusal, partial):
                _explain(refusal, as_json)
                return out.FAILED
            result = imports.apply(runtime.store, file, partial=partial, confirmed=True, actor="cli")
    if as_json:
        out.document({"imported": result})
    else:
        done = {
            "added": result.created,
            "changed": result.updated,
            "counted": result.counted,
            "left out": result.skipped,
        }
        out.say(f"{file.name}: {out.counted(done) or 'nothing to change'}.")
    return 0


def _agreed(refusal: ImportRefused, partial: bool) -> bool:
    seen = refusal.preview
    if not seen.needs_confirmation or (seen.needs_choice and not partial) or not sys.stdin.isatty():
        return False
    return bool(typer.confirm(f"{seen.warnings[0]} Import it all the same?", err=True))


def _explain(refusal: ImportRefused, as_json: bool) -> None:
    if as_json:
        out.document({"problem": refusal.sentence, "next_step": refusal.next_step, "preview": refusal.preview})
    seen = refusal.preview
    out.note(refusal.sentence)
    for finding in seen.findings[1:20]:
        out.note(f"  {finding}")
    if seen.refused:
        out.note(refusal.next_step)
    elif seen.needs_choice:
        out.note("Correct the file, or import the other rows only: --partial")
    else:
        out.note("If this is right, say so: --yes")


def _tell_preview(seen: Preview, as_json: bool) -> int:
    if as_json:
        out.document({"preview": seen})
    else:
        counts = {"new": seen.new, "changed": seen.changed, "unchanged": seen.unchanged, "with errors": seen.rejected}
        out.say(f"{seen.name}: {out.many(seen.rows, 'row')}: {out.counted(counts)}. Nothing was imported.")
        for change in seen.sample:
            out.say(f"  {change.sku} {change.field}: {change.old} to {change.new}")
        for line in [seen.refused, *map(str, seen.findings[:20]), *seen.warnings]:
            if line:
                out.note(line)
    return out.ATTENTION if seen.refused or seen.needs_choice or seen.needs_confirmation else 0


def export_csv(kind: str, file: Path, *, force: bool) -> None:
    """Write one kind to a CSV file."""
    with reading() as reader:
        try:
            written = exports.export(reader.store, kind, file, force=force)
        except exports.ExportRefused as refusal:
            step = "Choose another name, or add --force." if file.exists() and not force else refusal.next_step
            raise out.Problem(refusal.sentence, step) from refusal
    out.say(f"{out.many(written.rows, 'row')} written to {written.file}.")


def back_up(file: Path | None) -> None:
    """Copy the store in use to a file."""
    with reading() as reader:
        source = _file_of(reader.settings)
    target = file or source.parent / "backups" / f"evenstock-{backup.stamp()}.db"
    size = backup.back_up(source, target)
    out.say(f"Backup written to {target} ({size / 1_000_000:.1f} MB), readable by you only.")
    out.note("Sign-ins in it can be opened with the key of this computer only.")


def restore_backup(file: Path) -> None:
    """Put a backup in place of the store in use."""
    given = settings()
    lock = ProcessLock(given.evenstock_data_dir / "instance.lock")
    if not lock.acquire():
        raise BUSY
    try:
        kept = backup.restore(file, _file_of(given))
    finally:
        lock.release()
    out.say(f"Restored from {file}.")
    if kept is not None:
        out.say(f"What it replaced is kept in {kept}.")
    out.note("Until you agree to a new plan, Evenstock only reads: python -m core sync --dry-run shows what differs.")


def _file_of(given: Settings) -> Path:
    file = store_file(given)
    if file is None:
        raise out.Problem("The store is no SQLite file of its own.", "Use the backup tool of your database server.")
    return file
