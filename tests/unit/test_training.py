"""One process: plans, divided batches, where the output layer is computed, checkpointing, few bits."""

import os
from pathlib import Path

import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
from datasets import Dataset

from demur.core.config import LaunchSettings, TrainingSettings, load_config
from demur.core.errors import ConfigError, ResourceError, TrainingError
from demur.engines import Opening
from demur.engines.hf import HFEngine
from demur.engines.loading import check_quantize
from demur.pocket import bundled_model
from demur.training.dividing import FilledOrder, _blank
from demur.training.launch import InProcesses, InThisProcess
from demur.training.plan import TokenisedRow, count_steps, divide
from demur.training.processes import Job, _failure
from demur.training.sft import arguments, dataset, fit, prepare
from demur.training.strategies import FOLDER, Strategy, check, find_strategy, require_ran, what_ran
from demur.training.worker import _described, _open

CPU = torch.device("cpu")
STRATEGY = Strategy(kind="ddp", config=FOLDER / "ddp.yaml", processes=2)
ROWS = [
    TokenisedRow(input_ids=[5 + (7 * i + j) % 190 for j in range(8)], completion_mask=[0] * 7 + [1])
    for i in range(8)
]


def engine(**options):
    return HFEngine.open(Opening(bundled_model(), device="cpu", dtype="float32", **options))


def tuned(folder, opened=None, rows=ROWS, **settings):
    opened = opened or engine()
    chosen = TrainingSettings(**{"learning_rate": 5e-3, "batch_size": 4, "epochs": 2, **settings})
    trainer = prepare(
        opened.model,
        opened.tokenizer,
        dataset(rows),
        settings=chosen,
        arguments=arguments(chosen, seed=0, output=folder, on_cpu=True),
    )
    fit(trainer)
    return trainer


def trained_weights(trainer):
    return {name: p.detach().clone() for name, p in trainer.model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    ("rows", "batch", "accumulate", "epochs", "steps"),
    [
        (8, 4, 1, 1, 2),
        (9, 4, 1, 1, 3),  # the last update takes one row
        (9, 4, 2, 2, 4),  # batches of 4, 4, 1: updates of 8 and 1 row, twice
        (3, 4, 2, 1, 1),
        (8, 4, 1, 0.5, 1),
    ],
)
def test_steps_are_those_that_the_trainer_makes(tmp_path, rows, batch, accumulate, epochs, steps):
    settings = {"batch_size": batch, "accumulate": accumulate, "epochs": epochs}
    assert count_steps(rows, TrainingSettings(**settings)) == steps
    made = tuned(tmp_path, rows=(ROWS + ROWS)[:rows], **settings)
    assert made.state.global_step == steps


@pytest.mark.parametrize(
    ("batch", "accumulate", "processes", "divided"),
    [
        (4, 1, 2, (2, 1)),
        (4, 2, 2, (4, 1)),  # 8 rows, 4 each: as many at once as one process reads
        (3, 2, 2, (3, 1)),
        (4, 4, 2, (4, 2)),
        (4, 2, 8, (1, 1)),
        (6, 3, 2, (3, 3)),  # 18 rows, 9 each: 3 at once, since 9 is no multiple of 6, 5 or 4
    ],
)
def test_an_updates_rows_are_divided(batch, accumulate, processes, divided):
    settings = TrainingSettings(batch_size=batch, accumulate=accumulate)
    assert divide(settings, processes) == divided
    assert divided[0] * divided[1] * processes == batch * accumulate
    assert divided[0] <= batch


def test_rows_that_do_not_divide_are_refused():
    with pytest.raises(ConfigError) as refused:
        divide(TrainingSettings(batch_size=5), 2)
    assert "5 rows" in refused.value.found
    assert "6 rows" in refused.value.fix


def test_the_order_is_that_of_one_process_and_then_blank():
    order = FilledOrder(7, multiple=4, seed=5)
    alone = SeedableRandomSampler(range(7), data_seed=5)
    for number in (0, 1, 0):
        order.set_pass(number)
        alone.set_epoch(number)
        expected = list(alone)
        order.set_pass(number)
        assert list(order) == [*expected, 7], "7 rows fill two batches of 4 but for one place"
    assert len(order) == 8
    assert len(FilledOrder(8, multiple=4, seed=5)) == 8


def test_the_blank_row_has_no_loss():
    rows = Dataset.from_dict({"input_ids": [[4, 5], [6, 7, 8]], "labels": [[-100, 5], [-100, -100, 8]]})
    assert _blank(rows)[:] == {"input_ids": [[4]], "labels": [[-100]]}


def test_the_output_layer_is_computed_only_where_loss_falls(tmp_path, monkeypatch):
    """8 rows of 8 tokens, loss on the last one: 4 positions of a batch of 4, not 4 x 7."""
    from trl.trainer import utils

    apply, seen = utils._ChunkedLogProbFunction.apply, []

    def watched(hidden, *rest):
        seen.append(len(hidden))
        return apply(hidden, *rest)

    monkeypatch.setattr(utils._ChunkedLogProbFunction, "apply", watched)
    before = utils._use_triton
    here = trained_weights(tuned(tmp_path / "a"))
    assert seen == [4, 4, 4, 4]
    assert utils._use_triton is before, "nobody else's training is changed"
    monkeypatch.setattr("demur.training.sft._head_where_loss_falls", torch.enable_grad)
    everywhere = trained_weights(tuned(tmp_path / "b"))
    assert seen[4:] == [28] * 4
    # they move by some 0.02
    assert all(torch.allclose(here[name], everywhere[name], atol=1e-5) for name in here)


@pytest.mark.parametrize("lora", [True, False])
def test_gradient_checkpointing_gives_the_same_weights(tmp_path, lora):
    settings = {"lora": lora, "learning_rate": 1e-3}
    plain = trained_weights(tuned(tmp_path / "a", **settings))
    checked = tuned(tmp_path / "b", gradient_checkpointing=True, **settings)
    assert checked.model.is_gradient_checkpointing
    saved = trained_weights(checked)
    assert max((plain[name] - saved[name]).abs().max() for name in plain) < 1e-6
    untuned = dict(engine().model.named_parameters())
    if lora:
        assert all(p.abs().max() > 1e-3 for name, p in saved.items() if "lora_B" in name)
    else:
        assert all((p - untuned[name]).abs().max() > 1e-4 for name, p in saved.items())


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_an_adapter_is_tuned_on_weights_of_few_bits(tmp_path, bits):
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    import bitsandbytes as bnb

    opened = engine(quantize=bits)
    kind = bnb.nn.Linear4bit if bits == "4bit" else bnb.nn.Linear8bitLt
    layers = [module for module in opened.model.modules() if isinstance(module, kind)]
    assert len(layers) == 7 * opened.model.config.num_hidden_layers
    if bits == "4bit":
        state = layers[0].weight.quant_state
        assert (state.quant_type, state.nested) == ("nf4", True)
    trainer = tuned(tmp_path / "q", opened)
    plain = trained_weights(tuned(tmp_path / "p"))
    found = trained_weights(trainer)
    assert plain.keys() == found.keys()
    assert all(value.dtype == torch.bfloat16 for value in found.values()), "as in the paper"
    assert all(value.abs().max() > 1e-3 for name, value in found.items() if "lora_B" in name)
    assert {module.weight.dtype for module in layers} == {torch.uint8 if bits == "4bit" else torch.int8}, (
        "the weights stay as they were"
    )
    trainer.model.save_pretrained(tmp_path / "adapter")
    asked = HFEngine.open(
        Opening(bundled_model(), adapter=tmp_path / "adapter", device="cpu", dtype="float32")
    )
    scores = asked.score(["Where does"], [[" the", " a"]])[0]
    assert scores != pytest.approx(engine().score(["Where does"], [[" the", " a"]])[0], abs=1e-3)


def test_quantising_without_the_package_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="bitsandbytes"):
        check_quantize("4bit")
    check_quantize("none")


def test_quantised_weights_stay_frozen():
    with pytest.raises(ConfigError, match="quantize needs lora"):
        load_config(None, {"training.quantize": "4bit", "training.lora": "false"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"training.launch.strategy": "ddpp"}, "did you mean 'ddp'"),
        ({"training.launch.processes": 2}, "processes need a strategy"),
        ({"training.launch.strategy": "ddp", "training.launch.processes": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_that_cannot_be_meant(given, said):
    with pytest.raises(ConfigError, match=said):
        load_config(None, given)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"strategy": "fsdp", "processes": 2}, "quietly"),
        ({"strategy": "deepspeed", "processes": 2}, "quietly"),
        ({"strategy": "ddp"}, "no number of them"),
        ({"strategy": "absent.yaml", "processes": 2}, "does not exist"),
    ],
)
def test_what_cannot_run_here_is_refused_before_the_work(settings, said):
    with pytest.raises(ConfigError) as refused:
        find_strategy(LaunchSettings(**settings), CPU)
    assert said in refused.value.found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("distributed_type: MULTI_GPU\nnum_machines: 2", "num_machines 2"),
        ("distributed_type: 'NO'", "distributed_type NO"),
        ("distributed_type: MULTI_GPU\nparallelism_config: {parallelism_config_tp_size: 2}", "parallelism"),
        ("distributed_type: MULTI_GPU\nnum_procs: 2", "unknown keys"),
        ("num_processes: 2", "distributed_type"),
        ("- a list", "list"),
    ],
)
def test_an_accelerate_configuration_that_cannot_be_used_is_refused(tmp_path, text, said):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        find_strategy(LaunchSettings(strategy=str(path), processes=2), CPU)
    assert said in refused.value.found
    assert refused.value.where == str(path)


def test_an_accelerate_configuration_says_how_many(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("distributed_type: MULTI_CPU\nnum_processes: 4\n")
    found = find_strategy(LaunchSettings(strategy=str(path)), CPU)
    assert found == Strategy(kind="ddp", config=path, processes=4)
    found = find_strategy(LaunchSettings(strategy=str(path), processes=2), CPU)
    assert found.processes == 2, "the setting goes over the file"


@pytest.mark.parametrize("device", ["mps", "cuda:1"])
def test_devices_that_processes_cannot_share_are_refused(device):
    with pytest.raises(ConfigError):
        find_strategy(LaunchSettings(strategy="ddp", processes=2), torch.device(device))


def test_more_processes_than_devices_are_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    cuda = torch.device("cuda")
    assert find_strategy(LaunchSettings(strategy="fsdp"), cuda).processes == 2
    with pytest.raises(ConfigError) as refused:
        find_strategy(LaunchSettings(strategy="fsdp", processes=3), cuda)
    assert refused.value.found == "3 processes"
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ConfigError) as refused:
        find_strategy(LaunchSettings(strategy="fsdp"), cuda)
    assert refused.value.found == "1 device"


def test_deepspeed_must_be_installed(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as refused:
        find_strategy(LaunchSettings(strategy="deepspeed"), torch.device("cuda"))
    assert "pip install deepspeed" in refused.value.fix


def test_what_divides_weights_takes_them_whole(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    settings = TrainingSettings(quantize="4bit", launch=LaunchSettings(strategy="fsdp"))
    with pytest.raises(ConfigError, match="4bit with fsdp"):
        check({"sft": settings}, torch.device("cuda"))


def test_stages_go_on_from_each_other_so_they_must_fit():
    stages = {"stage1": TrainingSettings(), "stage2": TrainingSettings(lora=False)}
    with pytest.raises(ConfigError, match=r"training\.lora"):
        check(stages, CPU)


def test_a_run_refuses_before_it_probes(tmp_path):
    from demur.pipeline.pipeline import Pipeline

    given = {"out": tmp_path / "run", "training.launch.strategy": "ddp", "training.launch.processes": 3}
    with pytest.raises(ConfigError, match="4 rows"):
        Pipeline(load_config(None, given)).run()
    assert not (tmp_path / "run").exists()


def test_short_flags_name_the_settings():
    from demur.cli.settings import parse

    _, given = parse(["--launch", "ddp", "--processes", "2"])
    launch = load_config(None, given).training.launch
    assert (launch.strategy, launch.processes) == ("ddp", 2)


def test_a_trainer_in_one_process_is_no_strategy(tmp_path):
    trainer = tuned(tmp_path)
    found = what_ran(trainer)
    assert (found["kind"], found["processes"], found["backend"]) == (None, 1, None)
    with pytest.raises(TrainingError, match="no distribution in 1 processes"):
        require_ran(STRATEGY, found)


def test_a_job_is_read_as_it_was_written(tmp_path):
    job = Job(
        opening=Opening("a/b", revision="v1", device="cpu", trust_remote_code=True),
        start=tmp_path / "model",
        settings=TrainingSettings(quantize="8bit", lora_targets=("q_proj",)),
        seed=4,
        strategy=STRATEGY,
    )
    job.write(tmp_path / "job.json")
    assert Job.read(tmp_path / "job.json") == job
    assert job.owner[0] == os.getpid()


SUMMARY = """
[0]:
  time      : 2026-11-21_14:00:00
  host      : here
  rank      : {} (local_rank: {})
  exitcode  : {} (pid: 77)
  error_file: <N/A>
"""


def summary(*ended):
    return "".join(SUMMARY.format(rank, rank, code) for rank, code in ended)


def test_what_failed_is_said_by_what_was_left_behind(tmp_path):
    killed = _failure(tmp_path, 1, "noise" + summary((0, 1), (1, -9)))
    assert killed.found == "process 1 was ended by SIGKILL"
    asked = _failure(tmp_path, 1, summary((0, -15), (1, -15)))
    assert asked.found == "the processes were stopped from outside"
    assert _failure(tmp_path, 0, "").found == "the processes were stopped from outside"
    unknown = _failure(tmp_path, 3, "first\nImportError: no such thing\n=====\n")
    assert unknown.found == "the launcher ended with 3: ImportError: no such thing"
    assert unknown.where == str(tmp_path / "log.txt")


@pytest.mark.parametrize(
    ("error", "kind", "found"),
    [
        (RuntimeError("shapes differ\nand more"), TrainingError, "RuntimeError: shapes differ"),
        (torch.OutOfMemoryError("CUDA"), ResourceError, "a device whose memory ran out"),
        (ConfigError(expected="a", found="b", where="c", fix="d"), ConfigError, "b"),
    ],
)
def test_a_processes_error_is_raised_by_the_one_that_watches(tmp_path, error, kind, found):
    from demur.core.files import write_json

    write_json(tmp_path / "error-1.json", _described(error))
    raised = _failure(tmp_path, 1, summary((0, -15), (1, 1)))
    assert type(raised) is kind
    assert raised.found == found


def opening():
    return Opening(str(bundled_model()), device="cpu", dtype="float32")


def in_processes_from(folder, opened):
    """As after a stage whose weights lie in the folder."""
    tuner = InProcesses(opened, opening(), STRATEGY, seed=0)
    tuner._start = folder
    return tuner


@pytest.mark.parametrize("lora", [True, False])
def test_the_engine_answers_as_the_weights_that_processes_saved(tmp_path, lora):
    """Twice, as between rounds: the newer ones take the place of the older."""
    options = ["Where does"], [[" the", " a"]]
    other, tuner = engine(), None
    for number in (1, 2):
        one = engine()
        here = InThisProcess(one, seed=number)
        settings = TrainingSettings(lora=lora, learning_rate=1e-2, epochs=number)
        here.tune(ROWS, settings, tmp_path / f"work{number}", lambda _: None)
        here.save(tmp_path / f"model{number}")
        tuner = tuner or in_processes_from(tmp_path / "model1", other)
        tuner._start = tmp_path / f"model{number}"
        assert other.score(*options)[0] != pytest.approx(one.score(*options)[0], abs=1e-2)
        tuner.put_into(other)
        assert other.score(*options)[0] == pytest.approx(one.score(*options)[0], abs=1e-5)


def test_a_process_goes_on_from_an_adapter(tmp_path):
    here = InThisProcess(engine(), seed=0)
    here.tune(ROWS, TrainingSettings(learning_rate=1e-2), tmp_path / "work", lambda _: None)
    here.save(tmp_path / "model")
    job = Job(
        opening=opening(), start=tmp_path / "model", settings=TrainingSettings(), seed=0, strategy=STRATEGY
    )
    model, _ = _open(job, "float32", CPU)
    saved = dict(here._model.named_parameters())
    own = {name: value for name, value in model.named_parameters() if value.requires_grad}
    assert own.keys() == {name for name, value in saved.items() if value.requires_grad}
    assert all(torch.equal(value, saved[name]) for name, value in own.items())


# -- the configurations that ship, by accelerate's own parser and environment -----------------------

SHIPPED = sorted(FOLDER.glob("*.yaml"))


def launched_environment(path: Path) -> dict[str, str]:
    """What accelerate's launcher would give each process."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    flags = ["--config_file", str(path), "--num_processes", "2", "--main_process_port", "0"]
    parser = launch_command_parser()
    made, _, _ = _validate_launch_command(parser.parse_args([*flags, "--module", "demur.training.worker"]))
    if made.use_deepspeed:
        made.deepspeed_fields_from_accelerate_config = ""
        return prepare_deepspeed_cmd_env(made)[1]
    assert made.multi_gpu or made.use_fsdp, "else accelerate would start one process only"
    return prepare_multi_gpu_env(made)


def test_every_strategy_ships_a_configuration():
    from demur.core.config import STRATEGIES

    assert {path.stem for path in SHIPPED} == set(STRATEGIES)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_what_it_is_called(path, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    found = find_strategy(LaunchSettings(strategy=path.stem), torch.device("cuda"))
    assert path.stem.startswith(found.kind)
    assert found.processes == 2
    environment = launched_environment(path)
    assert environment["ACCELERATE_MIXED_PRECISION"] == "no"
    assert environment.get("ACCELERATE_USE_FSDP", "false") == str(found.kind == "fsdp").lower()
    assert environment.get("ACCELERATE_USE_DEEPSPEED", "false") == str(found.kind == "deepspeed").lower()


def test_fsdp_is_the_second_version_with_whole_weights(monkeypatch):
    from accelerate import FullyShardedDataParallelPlugin

    for name, value in launched_environment(FOLDER / "fsdp.yaml").items():
        if name.startswith(("FSDP_", "ACCELERATE_")):
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert "FULL_STATE_DICT" in str(plugin.state_dict_type)
    assert plugin.cpu_ram_efficient_loading is False
    model = HFEngine.open(Opening(bundled_model(), device="cpu")).model
    plugin.set_auto_wrap_policy(model)
    policy = plugin.auto_wrap_policy
    assert policy.keywords["transformer_layer_cls"] == {type(model.model.layers[0])}


@pytest.mark.parametrize(("name", "stage"), [("deepspeed", 2), ("deepspeed-zero3", 3)])
def test_deepspeeds_json_is_complete_and_follows_our_batches(name, stage, monkeypatch, tmp_path):
    """The keys as accelerate makes them, filled in as transformers does, without DeepSpeed itself."""
    from accelerate.utils import DeepSpeedPlugin
    from accelerate.utils.deepspeed import HfDeepSpeedConfig
    from transformers.integrations.deepspeed import HfTrainerDeepSpeedConfig

    settings = TrainingSettings(batch_size=6, accumulate=3)
    chosen = arguments(settings, seed=0, output=tmp_path, on_cpu=True, processes=2)
    for key, value in launched_environment(FOLDER / f"{name}.yaml").items():
        if key.startswith("ACCELERATE_"):
            monkeypatch.setenv(key, value)
    made = DeepSpeedPlugin().deepspeed_config
    assert made["zero_optimization"]["stage"] == stage
    assert made["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] is (stage == 3)

    class Filled(HfTrainerDeepSpeedConfig, HfDeepSpeedConfig):
        """transformers' class, which inherits from accelerate's only where DeepSpeed is installed."""

        def __init__(self, config):
            self.config, self.mismatches, self._dtype = config, [], None

    filled = Filled(made)
    filled.trainer_config_process(chosen)
    assert filled.mismatches == []
    assert filled.config["train_micro_batch_size_per_gpu"] == 3
    assert filled.config["gradient_accumulation_steps"] == 3
    assert filled.config["gradient_clipping"] == chosen.max_grad_norm


def test_a_small_model_trains_on_one_thread_and_a_larger_one_on_all():
    import torch

    from demur.training.sft import SMALL, _few_threads

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with _few_threads(torch.nn.Linear(3, 3)):
            assert torch.get_num_threads() == 1
        with _few_threads(torch.nn.Linear(SMALL, 1, bias=False)):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
