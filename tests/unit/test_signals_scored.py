"""`demur score` on rows that store samples and log-probabilities."""

import json
import math

import pytest
from typer.testing import CliRunner

from demur.cli.main import app
from demur.core.errors import DataError
from demur.scoring import read_outputs, score

STORED = {"samples": ["Paris", "Paris", "Rome", "Nice"], "logprobs": [-0.2, -0.4]}


def rows(tmp_path, *given, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text(
        "\n".join(
            json.dumps({"question": f"Capital {n}?", "answers": ["Paris"], "response": "Paris", **row})
            for n, row in enumerate(given)
        )
    )
    return path


def signals(path):
    return {name: values.tolist() for name, values in read_outputs(path).signals.items()}


def test_signals_are_computed_from_what_a_row_stores(tmp_path):
    found = signals(rows(tmp_path, STORED, {}))
    assert found["agreement"] == [0.5, pytest.approx(math.nan, nan_ok=True)]
    assert found["likelihood"][0] == pytest.approx(math.exp(-0.3), abs=1e-9)
    assert found["sum"][0] == pytest.approx(-0.6, abs=1e-9)
    assert found["num-sets"][0] == -3.0
    assert "semantic-entropy-weighted" not in found
    assert "entropy" not in found


def test_sample_log_probabilities_give_the_weighted_entropy(tmp_path):
    logprobs = [[-1.0], [-1.0], [-1.0], [-1.0]]
    found = signals(rows(tmp_path, {**STORED, "sample_logprobs": logprobs}))
    assert found["semantic-entropy-weighted"] == pytest.approx(found["semantic-entropy"], abs=1e-9)


def test_entropies_and_margins_of_tokens(tmp_path):
    found = signals(rows(tmp_path, {"token_entropies": [0.2, 0.6], "token_margins": [0.9, 0.3]}))
    assert found == {"margin": [0.3], "entropy": [pytest.approx(-0.4)]}


def test_log_probabilities_in_objects_as_openai_writes_them(tmp_path):
    token = {
        "token": "Paris",
        "logprob": math.log(0.5),
        "top_logprobs": [{"logprob": math.log(0.3)}, {"logprob": math.log(0.5)}],
    }
    found = signals(rows(tmp_path, {"logprobs": [token]}))
    assert found["likelihood"] == [pytest.approx(0.5)]
    assert found["margin"] == [pytest.approx(0.2)]


def test_a_confidence_of_the_file_comes_first_and_wins(tmp_path):
    path = rows(tmp_path, STORED, {"confidence": {"agreement": 0.9, "mine": 0.1}})
    outputs = read_outputs(path)
    assert list(outputs.signals)[:2] == ["agreement", "mine"]
    assert outputs.signals["agreement"].tolist() == [pytest.approx(math.nan, nan_ok=True), 0.9]
    assert "agreement" not in outputs.computed
    assert "likelihood" in outputs.computed


def test_shares_of_a_large_file_are_put_together(tmp_path, monkeypatch):
    given = [STORED] * 40 + [{"confidence": {"likelihood": 0.5}}] * 40
    path = rows(tmp_path, *given)
    whole = read_outputs(path)
    monkeypatch.setattr("demur.scoring.reading.SHARE_BYTES", path.stat().st_size // 3)
    shared = read_outputs(path)
    assert list(shared.signals) == list(whole.signals)
    assert next(iter(shared.signals)) == "likelihood"
    for name, values in whole.signals.items():
        assert shared.signals[name].tolist() == pytest.approx(values.tolist(), nan_ok=True), name


def test_no_list_is_an_empty_one_and_null_is_nothing(tmp_path):
    assert signals(rows(tmp_path, {"samples": None, "logprobs": []})) == {}


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"samples": "Paris"}, "samples is"),
        ({"samples": [["Paris"]]}, "samples holds"),
        ({"logprobs": ["a"]}, "logprobs holds"),
        ({"logprobs": [0.9, 0.8]}, "a log-probability is at most 0"),
        ({"samples": ["a", "b"], "sample_logprobs": [[-1.0]]}, "1 lists, samples 2 texts"),
    ],
)
def test_a_field_that_cannot_be_read_is_told(tmp_path, stored, message):
    with pytest.raises(DataError, match=message):
        read_outputs(rows(tmp_path, stored))


def uqlm(tmp_path, kind):
    """Two rows as ``UQResult.to_df()`` gives them, with a column of accepted answers added."""
    token = {"token": "Paris", "logprob": -0.5, "top_logprobs": []}
    columns = {
        "prompt": ["Capital of France?", "Capital of Italy?"],
        "response": ["Paris", "Paris"],
        "logprob": [[token], [token]],
        "sampled_responses": [["Paris", "Paris"], ["Rome", "Paris"]],
        "sampled_logprob": [[[token], [token]], [[token], [token]]],
        "semantic_negentropy": [1.0, 0.4],
        "answers": [["Paris"], ["Rome"]],
    }
    pandas = pytest.importorskip("pandas")
    path = tmp_path / f"uqlm.{kind.partition(' ')[0]}"
    frame = pandas.DataFrame(columns)
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient=kind.partition(" ")[2])
    return path


@pytest.mark.parametrize("kind", ["csv", "json records", "json columns"])
def test_results_of_uqlm_are_read(tmp_path, kind):
    outputs = read_outputs(uqlm(tmp_path, kind))
    found = {name: values.tolist() for name, values in outputs.signals.items()}
    assert found["uqlm-semantic_negentropy"] == [1.0, 0.4]
    assert next(iter(found)) == "uqlm-semantic_negentropy"
    assert found["agreement"] == [1.0, 0.5]
    assert found["semantic-entropy"] == [1.0, pytest.approx(0.0)]
    assert found["semantic-entropy-weighted"] == [1.0, pytest.approx(0.0)]
    assert found["likelihood"] == [pytest.approx(math.exp(-0.5))] * 2
    assert any("uqlm" in note for note in outputs.notes)


def test_every_signal_has_its_metrics_and_its_row(tmp_path):
    wrong = {**STORED, "response": "Rome", "samples": ["Paris", "Rome", "Nice", "Lyon"]}
    path = rows(tmp_path, *[STORED] * 6, *[wrong] * 6)
    found = score(read_outputs(path), resamples=0)
    # Six right answers with an agreement of .5, six wrong ones with .25
    assert found["metrics"]["auroc_agreement"]["value"] == 1.0
    assert found["metrics"]["auroc_likelihood"]["value"] == 0.5
    assert found["signals"]["agreement"] is True
    done = CliRunner().invoke(app, ["score", str(path), "--resamples", "0"])
    assert done.exit_code == 0
    [line] = [line.split() for line in done.stdout.splitlines() if line.startswith("agreement")]
    assert line[:3] == ["agreement", "12", "1.0000"]
    assert "auroc_agreement" not in done.stdout


def test_a_single_computed_signal_has_a_row_too(tmp_path):
    path = rows(tmp_path, *[{"samples": ["Paris"]}] * 3, *[{"samples": ["Rome"], "response": "Nice"}] * 3)
    done = CliRunner().invoke(app, ["score", str(path), "--resamples", "0"])
    [line] = [line.split() for line in done.stdout.splitlines() if line.startswith("agreement")]
    assert line[:3] == ["agreement", "6", "1.0000"]


def test_confidences_of_the_file_alone_are_shown_as_before(tmp_path):
    path = rows(tmp_path, *[{"confidence": {"a": 0.5, "b": 0.4}}] * 3)
    done = CliRunner().invoke(app, ["score", str(path), "--resamples", "0"])
    assert "confidence signals" not in done.stdout
    assert "brier_b" in done.stdout
