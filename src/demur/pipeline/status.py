"""What a run has done and is doing, told from its folder alone: nothing is opened for writing or locked."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demur.core.errors import RunFolderError, plain
from demur.core.files import parse_json
from demur.core.names import is_name
from demur.core.progress import WARNING
from demur.runfolder.digests import read_manifest
from demur.runfolder.folder import Holder, RunFolder

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text


def status(path: Path) -> dict[str, Any]:
    """How far a run is.

    Returns:
        JSON values: ``run``, ``state`` (``running``, ``stopped``, ``finished``; ``elsewhere`` where another
        machine has the lock, which cannot be seen from here), ``holder`` (pid, host, started, command;
        None where nobody works), ``stages`` (name, ``done`` or ``to do`` or the state, seconds) and
        ``current`` (see `demur.core.progress.Recorder`, with ``stored``: rows that no kill takes away, and
        ``seconds_left``); None where nothing is under way; ``first_answers``, what the first answers of the
        base model look like (see `demur.knowledge.first_look.look`). What is unknown is None.

    Raises:
        RunFolderError: this is no run folder.
    """
    folder = RunFolder(path)
    if not folder.config.exists():
        raise RunFolderError(
            expected="the folder of a run, which holds config.yaml",
            found="no such folder" if not path.is_dir() else "none",
            where=str(path),
            fix="name the folder that --out named, such as runs/demo",
        )
    holder = Holder.read(folder.lock)
    finished: dict[str, Any] = _manifest(folder).get("stages", {})
    state = _state(holder, finished)
    current = None if state == "finished" else _current(folder, running=state == "running")
    return {
        "run": str(path),
        "state": state,
        "holder": dataclasses.asdict(holder) if holder and state in ("running", "elsewhere") else None,
        "stages": _stages(finished, current, state),
        "current": current,
        "first_answers": _first_answers(folder, finished),
    }


def _first_answers(folder: RunFolder, finished: dict[str, Any]) -> dict[str, Any] | None:
    """Those of the probe under way, or stopped, else of the finished one."""
    now = _json(folder.progress)
    found = now if now.get("stage") == "probe" else finished.get("probe", {})
    return found.get("first_answers")


def _state(holder: Holder | None, finished: dict[str, Any]) -> str:
    if holder is not None and holder.alive:
        return "running"
    if "report" in finished:
        return "finished"
    return "elsewhere" if holder is not None and holder.alive is None else "stopped"


def _current(folder: RunFolder, *, running: bool) -> dict[str, Any] | None:
    found = _json(folder.progress)
    if not found:
        return None
    names = ("stage", "task", "unit", "done", "total", "rate", "since", "at")
    current = {name: found.get(name) for name in names}
    parts = str(current["stage"]).split("/")
    current["stored"] = _stored(folder.work.joinpath(*parts)) if all(map(is_name, parts)) else None
    if current["unit"] == "questions" and current["stored"] is not None:
        current["done"] = max(current["done"], current["stored"])  # what is counted is a second old
    current["seconds_left"] = None
    if running and found.get("rate"):
        after = (found["total"] - found["done"]) / found["rate"]
        current["seconds_left"] = max(0.0, found["at"] + after - time.time())
    return current


def _stages(
    finished: dict[str, Any], current: dict[str, Any] | None, state: str
) -> list[dict[str, str | float | None]]:
    """Every stage in order, those of many systems one by one as far as they are known.

    One that a run has passed without doing anything, as it tunes or fits no system, is left out.
    """
    from demur.pipeline.pipeline import STAGES

    now = current["stage"] if current else None
    rows: list[dict[str, str | float | None]] = []
    begun = {name.partition("/")[0] for name in (*finished, *([now] if now else []))}
    passed = max((place for place, stage in enumerate(STAGES) if stage in begun), default=-1)
    for place, stage in enumerate(STAGES):
        parts = [name for name in finished if name.partition("/")[0] == stage and name != now]
        rows += [{"name": n, "state": "done", "seconds": finished[n].get("seconds")} for n in parts]
        if now is not None and now.partition("/")[0] == stage:
            done = state == "stopped" and now in finished
            rows.append({"name": now, "state": "done" if done else state, "seconds": None})
        elif not parts and place > passed:
            rows.append({"name": stage, "state": "to do", "seconds": None})
    return rows


def _stored(folder: Path) -> int | None:
    """Rows that are stored; None where the stage keeps no units."""
    from demur.core.units import shards

    for _ in range(3):
        try:
            return sum(_rows(shard.path) for shard in shards(folder))
        except FileNotFoundError:  # none there, or just merged into another
            continue
        except Exception as error:
            from demur.core.stored import is_damage

            if not is_damage(error):
                raise
            return None
    return None


@lru_cache(100_000)
def _rows(path: Path) -> int:
    """Rows of a shard, which never changes."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _manifest(folder: RunFolder) -> dict[str, Any]:
    """What is finished; nothing where the run has only begun.

    Raises:
        RunFolderError: it cannot be read, or is missing beside results.
    """
    try:
        return read_manifest(folder.manifest)
    except FileNotFoundError:
        if not folder.metrics.exists():
            return {}
        raise RunFolderError(
            expected=f"{folder.manifest.name}, which says what is finished, beside {folder.metrics.name}",
            found="no such file",
            where=str(folder.manifest),
            fix="take it from a copy of the run, or carry out the run again in a new folder",
        ) from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def render(found: dict[str, Any]) -> Group:
    """The same for a person."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table("stage", "", "", box=None)
    for row in found["stages"]:
        current = found["current"]
        own = current is not None and current["stage"] == row["name"] and row["state"] != "done"
        seconds = "" if row["seconds"] is None else f"{row['seconds']:,.1f} s"
        cells = (row["name"], row["state"], sentence(current) if own else seconds)
        table.add_row(*(Text(plain(str(cell))) for cell in cells))
    holder = found["holder"]
    by = f" by process {holder['pid']} on {holder['host']}: {holder['command']}" if holder else ""
    return Group(
        Text(plain(f"{found['run']}: {found['state']}{by}")), table, *_looked_at(found["first_answers"])
    )


def _looked_at(found: dict[str, Any] | None) -> Iterator[Text]:
    """The first answers in a line, and a line for each warning."""
    from rich.text import Text

    from demur.knowledge import first_look

    if found is not None:
        yield Text(plain(first_look.sentence(found)))
        yield from (Text(plain(f"{WARNING}{text}"), style="bold yellow") for text in found["warnings"])


def sentence(current: dict[str, Any]) -> str:
    """What is under way in a few words."""
    if current["total"] is None:
        return ""
    parts = [f"{current['task']}: {current['done']:,} of {current['total']:,} {current['unit']}"]
    if current["stored"] is not None:
        parts.append(f"{current['stored']:,} stored")
    if current["rate"]:
        parts.append(f"{current['rate']:,.1f} a second")
    if current["seconds_left"] is not None:
        minutes, seconds = divmod(round(current["seconds_left"]), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append(f"{hours}:{minutes:02}:{seconds:02} left")
    return ", ".join(parts)
