"""``dtype: auto``: small models compute in float32, larger ones in what is faster here; a run keeps it."""

import json

import pytest
import torch
from transformers import AutoConfig

from demur.core.config import Config, ModelSettings
from demur.engines import Opening, precision
from demur.engines.loading import pick_dtype
from demur.engines.opening import settle_dtype
from demur.engines.precision import LEAST_PARAMETERS, Precision, automatic, count_parameters
from demur.pipeline.job import Job
from demur.pocket import bundled_model
from demur.runfolder.finished import FinishedRun
from demur.runfolder.manifest import Manifest

CPU = torch.device("cpu")


@pytest.fixture
def gains(monkeypatch):
    """Says what the trial finds; the list holds what each trial found."""
    tried = []

    def found(value):
        monkeypatch.setattr(precision, "bfloat16_gain", lambda: tried.append(value) or value)
        return tried

    return found


def test_a_small_model_is_not_tried(gains):
    tried = gains(9.0)
    assert automatic(CPU, parameters=LEAST_PARAMETERS - 1) == Precision(torch.float32)
    assert tried == [], "the pocket models' figures must not depend on the processor"


@pytest.mark.parametrize(
    ("gain", "dtype"), [(0.1, torch.float32), (1.19, torch.float32), (1.2, torch.bfloat16)]
)
def test_the_trial_decides_for_a_larger_one(gains, gain, dtype):
    tried = gains(gain)
    assert automatic(CPU, parameters=LEAST_PARAMETERS) == Precision(dtype, gain)
    assert tried == [gain]


def test_only_another_format_is_spoken_of():
    assert Precision(torch.float32, 1.1).sentence() is None
    assert Precision(torch.float16).sentence() is None, "on a GPU nothing was tried"
    said = Precision(torch.bfloat16, 2.345).sentence()
    assert said == "computes in bfloat16, 2.3 times as fast as float32 on this CPU (model.dtype auto)"


def test_the_trial_measures_once():
    precision.bfloat16_gain.cache_clear()
    first = precision.bfloat16_gain()
    assert first > 0
    assert precision.bfloat16_gain() == first
    assert precision.bfloat16_gain.cache_info().misses == 1


def test_parameters_are_counted_without_weights():
    config = AutoConfig.from_pretrained(bundled_model())
    assert count_parameters(config, Opening(bundled_model())) == 766_592, (
        "as docs/benchmarks.md says of the pocket model"
    )


def test_weights_are_tuned_in_float32_on_a_cpu(gains):
    gains(9.0)
    assert pick_dtype("auto", CPU) is torch.float32


@pytest.mark.parametrize(
    "settings",
    [{"dtype": "bfloat16"}, {"engine": "vllm"}, {"engine": "ray", "options": {"address": "auto"}}],
    ids=["set", "vllm", "ray elsewhere"],
)
def test_it_is_not_settled_where_it_is_not_ours_to_settle(settings):
    assert settle_dtype(ModelSettings(**settings), base=str(bundled_model())) is None


def test_it_is_settled_for_workers_on_this_machine():
    settings = ModelSettings(engine="ray", device="cpu")
    assert settle_dtype(settings, base=str(bundled_model())) == Precision(torch.float32)


# -- a run keeps what it found ---------------------------------------------------------------------


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A run of a model that is large enough for a trial, as far as its manifest."""
    monkeypatch.setattr(precision, "LEAST_PARAMETERS", 1)
    return begun(tmp_path)


def begun(folder, **model):
    config = Config(out=folder, model={"path": "pocket", "device": "cpu", **model})
    job = Job(config)
    job.manifest = Manifest.open(job.folder.manifest, config)
    return job


def test_a_run_keeps_its_format_where_another_would_be_faster(job, gains, tmp_path):
    gains(3.0)
    assert job.dtype == "bfloat16"
    assert job.open_model(None).model.dtype is torch.bfloat16
    gains(0.5)  # on another machine
    assert begun(tmp_path).dtype == "bfloat16"
    noted = json.loads(job.folder.manifest.read_text())["computed"]
    assert noted == {"model": "pocket", "dtype": "bfloat16", "bfloat16_gain": 3.0}


def test_another_model_in_the_same_folder_is_tried_anew(job, gains, tmp_path):
    gains(3.0)
    assert job.dtype == "bfloat16"
    gains(0.5)
    assert begun(tmp_path, path="pocket-2").dtype == "float32"


def test_a_format_that_is_set_is_not_noted(gains, tmp_path):
    job = begun(tmp_path, dtype="float16")
    assert job.dtype == "float16"
    assert "computed" not in job.manifest.values


def test_a_run_of_before_keeps_float32(job, gains):
    tried = gains(3.0)
    job.manifest.values["stages"]["probe"] = {"inputs": "…"}
    assert job.dtype == "float32"
    assert tried == []


def test_answers_made_elsewhere_say_nothing_of_the_format(gains, tmp_path, monkeypatch):
    """A run that only read them opened no model, and is none of before."""
    monkeypatch.setattr(precision, "LEAST_PARAMETERS", 1)
    gains(3.0)
    config = Config(
        out=tmp_path, model={"path": "pocket", "device": "cpu"}, probe={"path": tmp_path / "probe.parquet"}
    )
    job = Job(config)
    job.manifest = Manifest.open(job.folder.manifest, config)
    job.manifest.values["stages"]["probe"] = {"inputs": "…"}
    assert job.dtype == "bfloat16"


def test_the_user_is_told_in_one_line(job, gains):
    gains(2.0)
    said = []
    job.listener.note = said.append
    assert job.dtype == "bfloat16"
    assert said == [
        "pocket computes in bfloat16, 2.0 times as fast as float32 on this CPU (model.dtype auto)"
    ]


def test_all_weights_are_tuned_in_float32_and_an_adapter_beside_weights_as_they_answer(job, gains):
    gains(3.0)
    formats = (job.dtype, job.training_dtype(lora=True), job.training_dtype(lora=False))
    assert formats == ("bfloat16", "bfloat16", "float32")


def test_what_is_tried_before_there_is_a_manifest_is_noted_when_there_is_one(job, gains):
    gains(3.0)
    manifest = vars(job).pop("manifest")
    assert job.dtype == "bfloat16"
    vars(job)["manifest"] = manifest
    assert manifest.dtype_of("pocket") is None
    assert job.dtype == "bfloat16"
    assert manifest.dtype_of("pocket") == "bfloat16"


def test_a_model_that_was_opened_to_try_prompts_is_noted_before_the_stages(job, gains):
    tried = gains(3.0)
    job.note_dtype()
    assert tried == [], "nothing is open"
    vars(job)["engine"] = object()
    job.note_dtype()
    assert job.manifest.dtype_of("pocket") == "bfloat16"


def test_who_opens_a_finished_run_gets_its_format(job, gains):
    gains(3.0)
    assert job.dtype == "bfloat16"
    job.manifest.claim(job.config)
    run = FinishedRun.open(job.folder.root, evaluated=False)
    assert run.settings().model.dtype == "bfloat16"
    assert run.written_config.model.dtype == "auto"
    assert run.settings(given={"model.dtype": "float32"}).model.dtype == "float32"
    assert run.settings(given={"model.path": "pocket-2"}).model.dtype == "auto"


def test_a_manifest_cannot_name_any_format(job):
    job.manifest.values["computed"] = {"model": "pocket", "dtype": "int8"}
    job.manifest.claim(job.config)
    assert FinishedRun.open(job.folder.root, evaluated=False).settings().model.dtype == "auto"
