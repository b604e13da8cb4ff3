"""From a name to something that answers: a run, a tuned model, an untuned one, or a model at a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from demur.ask.answerer import MOST, WAITING, Answerer
from demur.ask.calibration import Calibration
from demur.ask.decision import Decision
from demur.ask.system import System, from_model, from_run, is_in_run, untuned
from demur.core.errors import ConfigError, RunFolderError, UnknownNameError
from demur.core.layout import CARD
from demur.core.records import SIGNALS
from demur.core.signing import is_run
from demur.runfolder import provenance


def load(
    source: str | Path,
    *,
    system: str | None = None,
    signal: str | None = None,
    threshold: float | None = None,
    max_error: float | None = None,
    confidence: float = 0.95,
    samples: int | None = None,
    model: Mapping[str, Any] | None = None,
    most: int = MOST,
    waiting: int = WAITING,
    check: Callable[[System], None] | None = None,
) -> Answerer:
    """Open what answers questions, or says that it does not know.

    Args:
        source: a run's folder, a tuned model's folder (`demur.json` beside its weights), or an untuned
            model's folder, GGUF file, name on the Hub, known name (`demur.sources.KNOWN_MODELS`) or name
            at a server.
        system: which system of the run, by default its method; of an untuned model `base` (its likelihood
            is the confidence), `self-consistency`, `verbal-confidence` or `honesty-prompt`.
        signal: decide by this confidence signal instead of the usual one.
        threshold: answer from this confidence up. By default what `demur calibrate` promised, else the
            system's own rule. A promise that was computed from other predictions or weights than those that
            lie there is an error, unless this or ``max_error`` is given.
        max_error: keep errors among the answers below this share, promised on the run's calibration
            questions.
        confidence: of that promise.
        samples: answers drawn of each question, where a system draws some.
        model: settings of the model over those of the run, such as ``{"device": "cuda"}`` or
            ``{"engine": "openai", "path": "name", "endpoint": {"base_url": "http://localhost:8000/v1"}}``.
        most: requests of one batch.
        waiting: requests that may wait, see `Answerer`.
        check: looks at what was found before any model is opened, and raises where it should not be.

    Raises:
        DemurError: anything the caller can mend.

    Example:
        >>> answerer = demur.load("runs/demo")
        >>> answerer.ask("Who wrote The Hobbit?").text
    """
    _check_threshold(threshold)
    overrides = {f"model.{name}": value for name, value in (model or {}).items()}
    if samples is not None:
        overrides["probe.samples"] = samples
    found = _find(source, system, overrides)
    if check is not None:
        check(found)
    if threshold is None and max_error is None:
        _require_promise(found, Path(source))
    return Answerer(
        found,
        decision=_decision(found, signal, threshold, max_error, confidence),
        most=most,
        waiting=waiting,
    )


def _find(source: str | Path, name: str | None, overrides: Mapping[str, Any]) -> System:
    folder = Path(source)
    if is_run(folder):
        return from_run(folder, name, overrides)
    if (folder / CARD).exists() or is_in_run(folder):
        return from_model(folder, name, overrides)
    if "model.engine" not in overrides and _is_place(str(source)) and not folder.expanduser().exists():
        raise RunFolderError(
            expected="a run's folder, a model's folder, or a model's name on the Hub",
            found="no such folder",
            where=str(source),
            fix="check the path; `demur run --out FOLDER` writes a run",
        )
    return untuned(str(source), name, overrides)


def _is_place(source: str) -> bool:
    """Whether a source can only be meant as a folder here: no model of the Hub is called so."""
    first, *rest = Path(source).parts or ("",)
    written = source.startswith(("/", "~", ".")) or source.endswith("/") or len(rest) > 1
    return written or (bool(rest) and Path(first).is_dir())


def _check_threshold(threshold: float | None) -> None:
    """Refuse a threshold that no confidence can reach, such as one in percent.

    Raises:
        ConfigError: it is no number in [0, 1].
    """
    if threshold is not None and not 0 <= threshold <= 1:
        hint = f", {threshold / 100:g} for {threshold:g} %" if 1 < threshold <= 100 else ""
        raise ConfigError(
            expected="a confidence between 0 and 1",
            found=f"{threshold:g}",
            where="threshold",
            fix=f"give it as a share{hint}",
        )


def _require_promise(system: System, folder: Path) -> None:
    """Refuse to decide by another rule where a promise would have been in use.

    Raises:
        RunFolderError, ModelError: the promise was computed from something else than what lies there.
    """
    if system.refused is None:
        return
    if system.run is None:
        raise provenance.card_error(system.refused, folder)
    raise system.refused.error(system.run)


def _decision(
    system: System,
    signal: str | None,
    threshold: float | None,
    max_error: float | None,
    confidence: float,
) -> Decision | None:
    """The decision that was asked for; None for the usual one."""
    if signal is None and threshold is None and max_error is None:
        return None
    if signal is not None and signal not in SIGNALS:
        raise UnknownNameError("signal", signal, SIGNALS, "--signal")
    usual = system.promised.get("all") or system.rule
    wanted = signal or usual.signal
    if max_error is None:
        kept = usual.threshold if wanted == usual.signal else None
        combination = usual.combination or system.rule.combination
        limit = kept if threshold is None else threshold
        return Decision(signal=wanted, threshold=limit, combination=combination)
    if threshold is not None or system.run is None:
        raise ConfigError(
            expected="a run's folder and an error to keep below, without a threshold",
            found="a threshold too" if threshold is not None else "no run with calibration questions",
            where="max_error",
            fix="give one of the two, and a run",
        )
    calibration = Calibration.of_run(system.run, system.name, wanted, seed=system.config.seed)
    return calibration.decision(max_error, confidence)
