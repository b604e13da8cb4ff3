"""The vLLM engine beside the Hugging Face engine, on the pocket model.

Most of it needs vLLM: ``make test-vllm`` makes an environment with its build for CPUs. Each start of vLLM
takes about half a minute, so the engines are shared.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import time

import engine_models
import numpy as np
import psutil
import pytest
import torch

from demur.core.errors import ConfigError, DataError, ModelError, ResourceError, UnknownNameError
from demur.core.records import Prediction, Probe, Question, read_parquet
from demur.core.templates import TEMPLATES
from demur.engines import ENGINES, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.vllm import VLLMEngine
from demur.engines.vllm_arguments import room_for
from demur.engines.vllm_errors import explained
from demur.judging import judge
from demur.pocket import bundled_model
from demur.pocket.world import make_world

needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="needs vLLM, see `make test-vllm`"
)
TEMPLATE = TEMPLATES["r-tuning-code"]
CLOSE = 1e-3
"""Largest difference of two log-probabilities of one token: both engines compute in float32."""
COMPARED = 480
NEEDED = 0.995
"""Share of greedy answers that must be the same; where two tokens are as likely to the last bit of a float
either may come."""


@pytest.fixture(scope="module")
def questions():
    every = make_world(0).questions()
    return every[:: len(every) // COMPARED][:COMPARED]


@pytest.fixture(scope="module")
def prompts(questions):
    return [TEMPLATE.ask(question) for question in questions]


@pytest.fixture(scope="module")
def hf():
    return HFEngine.open(Opening(bundled_model(), device="cpu"))


@pytest.fixture(scope="module")
def vllm():
    return VLLMEngine.open(Opening(bundled_model()))


def said(engine, prompts, **sampling):
    """Greedy responses."""
    keys = [str(number) for number in range(len(prompts))]
    found = engine.generate(prompts, keys=keys, sampling=Sampling(**sampling))
    return [item.greedy for item in found]


def agree(first, second, questions):
    """Check responses of two engines against each other: texts, verdicts, endings, log-probabilities.

    Where the texts part, that must be at a tie: the engines' first differing tokens are as likely.
    """
    same = [a.text == b.text for a, b in zip(first, second, strict=True)]
    verdicts = [
        judge(question, a.text) is judge(question, b.text)
        for question, a, b in zip(questions, first, second, strict=True)
    ]
    assert np.mean(same) >= NEEDED
    assert np.mean(verdicts) >= NEEDED
    for a, b, equal in zip(first, second, same, strict=True):
        if equal:
            assert (a.finish, len(a.token_logprobs)) == (b.finish, len(b.token_logprobs))
            np.testing.assert_allclose(a.token_logprobs, b.token_logprobs, atol=CLOSE)
        else:
            pairs = zip(a.token_logprobs, b.token_logprobs, strict=False)
            assert all(abs(x - y) < CLOSE for x, y in list(pairs)[:1])


@needs_vllm
@pytest.mark.parametrize("stop", [(".", "\n"), (), (" in", "st"), ("n", "")], ids=repr)
def test_greedy_answers_are_those_of_the_hugging_face_engine(hf, vllm, prompts, questions, stop):
    agree(said(hf, prompts, stop=stop), said(vllm, prompts, stop=stop), questions)


@needs_vllm
def test_an_answer_that_ends_at_once_has_the_log_probability_of_its_end(hf, vllm):
    """The most likely first character stops the text, so nothing is left of it."""
    prompt = TEMPLATE.ask("Where was George Vildim born?")
    (whole,) = said(hf, [prompt])
    (first,), (second,) = (said(engine, [prompt], stop=(whole.text[0],)) for engine in (hf, vllm))
    assert (first.text, second.text, second.finish) == ("", "", "stop")
    assert len(second.token_logprobs) == 1
    np.testing.assert_allclose(first.token_logprobs, second.token_logprobs, atol=CLOSE)


@needs_vllm
def test_continuations_score_the_same(hf, vllm, prompts, questions):
    """Whole words, answers of several tokens, nothing, and a text without the space that would begin it."""
    options = [[f" {q.answers[0]}", " sure.", " unsure.", "", "Paris"] for q in questions if q.answers]
    asked = [prompt for prompt, q in zip(prompts, questions, strict=True) if q.answers]
    first, second = (np.array(engine.score(asked, options)) for engine in (hf, vllm))
    assert first.shape == second.shape == (len(asked), 5)
    np.testing.assert_allclose(first, second, atol=CLOSE)
    assert (second[:, 3] == 0).all()
    assert (second[:, :3] < 0).all()
    assert vllm.score(asked[:2], [[], [" sure."]])[0] == ()


@needs_vllm
def test_asking_again_scores_what_follows_the_answer(hf, vllm, prompts):
    def follow_up(index, text):
        return f"{text}. {index} Are you sure? I am"

    both = [
        engine.ask(prompts, sampling=Sampling(), follow_up=follow_up, options=[" sure", " unsure"])
        for engine in (hf, vllm)
    ]
    assert np.mean([a.response.text == b.response.text for a, b in zip(*both, strict=True)]) >= NEEDED
    for a, b in zip(*both, strict=True):
        if a.response.text == b.response.text:
            np.testing.assert_allclose(a.option_logprobs, b.option_logprobs, atol=CLOSE)


@needs_vllm
@pytest.mark.parametrize("top_p", [1.0, 0.7])
def test_samples_follow_the_model(hf, vllm, prompts, top_p):
    """First token of 3,000 samples against the Hugging Face model's own softmax, by chi-square."""
    first = [answer.token_logprobs[0] for answer in said(hf, prompts)]
    prompt = prompts[int(np.argmin(first))]  # where the model is least sure, most tokens are drawn
    ids = hf.encode(prompt)
    keys = [f"k{index}" for index in range(300)]
    sampling = Sampling(
        max_new_tokens=1, stop=(), greedy=False, samples=10, temperature=0.7, top_p=top_p, seed=1
    )
    found = vllm.generate([prompt] * 300, keys=keys, sampling=sampling)
    wanted = engine_models.distribution(hf.model, ids, 0.7, top_p)
    # a sample's token is known by its log-probability at temperature 1
    with torch.no_grad():
        logits = hf.model(input_ids=torch.tensor([ids])).logits[0, -1]
    every = torch.log_softmax(logits, -1).numpy()
    drawn = [sample.token_logprobs[0] for item in found for sample in item.samples]
    tokens = [int(np.abs(every - logprob).argmin()) for logprob in drawn]
    np.testing.assert_allclose(every[tokens], drawn, atol=CLOSE)
    assert engine_models.p_value(np.bincount(tokens, minlength=len(wanted)), wanted) > 0.01
    assert len(set(tokens)) > 5
    assert all(item.greedy is None for item in found)


@needs_vllm
def test_sampled_log_probabilities_are_those_of_the_unmodified_model(hf, vllm, prompts):
    """Temperature and nucleus shape the draw and not what is reported."""
    sampling = Sampling(samples=2, temperature=0.5, top_p=0.8, stop=())
    found = vllm.generate(prompts[:40], keys=prompts[:40], sampling=sampling)
    for prompt, item in zip(prompts, found, strict=False):
        texts = [sample.text for sample in item.samples]
        for (score,), sample in zip(
            hf.score([prompt] * 2, [[text] for text in texts]), item.samples, strict=True
        ):
            if len(hf.encode(prompt, sample.text)) - len(hf.encode(prompt)) == len(sample.token_logprobs):
                assert sum(sample.token_logprobs) == pytest.approx(score, abs=CLOSE)


@needs_vllm
def test_samples_differ_by_sample_key_and_seed_only(vllm, prompts):
    ask = {"max_new_tokens": 12, "stop": (), "samples": 6, "temperature": 2.0}
    one, two, again = vllm.generate(prompts[:1] * 3, keys=["a", "b", "a"], sampling=Sampling(**ask))
    texts = [sample.text for sample in one.samples]
    assert len(set(texts)) > 3  # some end at once, alike
    assert texts != [sample.text for sample in two.samples]
    assert texts == [sample.text for sample in again.samples]
    (other,) = vllm.generate(prompts[:1], keys=["a"], sampling=Sampling(**ask, seed=1))
    assert texts != [sample.text for sample in other.samples]
    (fewer,) = vllm.generate(prompts[:1], keys=["a"], sampling=Sampling(**{**ask, "samples": 2}))
    assert texts[:2] == [sample.text for sample in fewer.samples]


@needs_vllm
def test_order_and_company_do_not_change_what_is_said(vllm, prompts):
    """All at once, backwards, and in small parts: the same greedy answers and the same samples."""
    some = prompts[:96]
    sampling = Sampling(samples=3, temperature=0.7)

    def texts(asked):
        found = vllm.generate(asked, keys=asked, sampling=sampling)
        return [(item.greedy.text, *(sample.text for sample in item.samples)) for item in found]

    whole = texts(some)
    backwards = texts(some[::-1])[::-1]
    parts = [said for start in range(0, 96, 7) for said in texts(some[start : start + 7])]
    for other in (backwards, parts):
        assert np.mean([a == b for a, b in zip(whole, other, strict=True)]) >= NEEDED


@needs_vllm
def test_mistakes_are_explained(vllm, prompts, tmp_path):
    with pytest.raises(DataError, match="at most 512 tokens"):
        said(vllm, [prompts[0] * 60])
    with pytest.raises(ConfigError, match="max_new_tokens=0"):
        said(vllm, prompts, max_new_tokens=0)
    with pytest.raises(ConfigError, match=r"(?s)that vLLM takes.*temperature must be in \[0, 2\]"):
        said(vllm, prompts, samples=1, temperature=3.0)
    with pytest.raises(UnknownNameError, match="tensor_parallel_size"):
        VLLMEngine.open(Opening(bundled_model(), options={"tensor_paralel_size": 2}))
    with pytest.raises(ConfigError, match=r"set model\.dtype instead"):
        VLLMEngine.open(Opening(bundled_model(), options={"dtype": "float16"}))
    with pytest.raises(ConfigError, match="the engine depends on it"):
        VLLMEngine.open(Opening(bundled_model(), options={"logprobs_mode": "processed_logprobs"}))
    with pytest.raises(ConfigError, match="abacus"):
        VLLMEngine.open(Opening(bundled_model(), device="abacus"))
    with pytest.raises(ConfigError, match="int3"):
        VLLMEngine.open(Opening(bundled_model(), dtype="int3"))
    with pytest.raises(ModelError, match="no such folder"):
        VLLMEngine.open(Opening(tmp_path / "nowhere"))
    engine_models.tiny_model("mamba").save_pretrained(tmp_path / "odd")
    engine_models.word_tokenizer().save_pretrained(tmp_path / "odd")
    settings = json.loads((tmp_path / "odd/config.json").read_text())
    settings["architectures"] = ["NobodysForCausalLM"]
    (tmp_path / "odd/config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=r"(?s)a model that vLLM can run.*NobodysForCausalLM"):
        VLLMEngine.open(Opening(tmp_path / "odd"))


@needs_vllm
def test_memory_that_does_not_suffice_is_named():
    with pytest.raises(ResourceError, match=r"(?s)emory.*kv_cache_memory_bytes"):
        VLLMEngine.open(Opening(bundled_model(), options={"kv_cache_memory_bytes": 2**50}))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small run of the real command with the vLLM engine."""
    out = tmp_path_factory.mktemp("vllm") / "run"
    arguments = ["--out", out, "--model.engine", "vllm", "--baselines", "[]", "--data.limit", 128]
    arguments += ["--evaluation.resamples", 50, "--probe.samples", 2]
    arguments += ["--model.options", "{max_model_len: 128}"]
    command = [sys.executable, "-m", "demur", "demo", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out, done


@needs_vllm
def test_the_real_command_runs_to_its_report(run):
    out, done = run
    assert (out / "report.html").exists()
    assert "vllm" not in done.stdout.lower().replace(str(out).lower(), ""), "vLLM's own lines are kept away"
    probes = read_parquet(out / "probe.parquet", Probe)
    assert len(probes) > 128  # of each part so many
    assert all(len(probe.samples) == 2 and probe.greedy.token_logprobs for probe in probes)
    predictions = read_parquet(out / "predictions/r-tuning.parquet", Prediction)
    assert all(0 <= row.signals["sure"] <= 1 for row in predictions)


@needs_vllm
def test_the_run_says_what_the_hugging_face_engine_says(run, hf):
    """The base model's answers of the run, and those of the adapter that the run trained."""
    out, _ = run

    asked = read_parquet(out / "questions.parquet", Question)
    prompts = [TEMPLATE.ask(question) for question in asked]
    probes = read_parquet(out / "probe.parquet", Probe)
    agree(said(hf, prompts), [probe.greedy for probe in probes], asked)


def processes():
    children = psutil.Process().children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in alive if child.name().startswith("VLLM")}


@needs_vllm
def test_an_engine_that_is_let_go_of_gives_its_processes_back():
    before = processes()

    def use():
        engine = VLLMEngine.open(Opening(bundled_model()))
        assert processes() > before
        return said(engine, ["Who?"])

    assert use()
    deadline = time.monotonic() + 60
    while processes() - before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes() == before


@needs_vllm
def test_an_adapter_gives_the_same_answers(run, prompts, questions):
    out, _ = run
    adapter = out / "systems/r-tuning/model"
    both = [ENGINES.get(name).open(Opening(bundled_model(), adapter=adapter)) for name in ("hf", "vllm")]
    plain = said(HFEngine.open(Opening(bundled_model())), prompts)
    first, second = (said(engine, prompts) for engine in both)
    agree(first, second, questions)
    assert [a.text for a in first] != [a.text for a in plain], "the adapter does something"
    scores = [np.array(engine.score(prompts, [[" sure", " unsure"]] * len(prompts))) for engine in both]
    np.testing.assert_allclose(*scores, atol=CLOSE)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_it_says_what_to_install():
    for open_or_check in (VLLMEngine.open, VLLMEngine.check):
        with pytest.raises(ConfigError, match="pip install vllm"):
            open_or_check(Opening(str(bundled_model())))


@pytest.mark.parametrize(
    ("rank", "pattern", "room"), [(1, {}, 8), (8, {}, 8), (9, {}, 16), (8, {"q_proj": 40}, 64)]
)
def test_there_is_room_for_an_adapters_rank(tmp_path, rank, pattern, room):
    settings = {"peft_type": "LORA", "r": rank, "rank_pattern": pattern}
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    assert room_for(tmp_path) == {"enable_lora": True, "max_lora_rank": room}


@pytest.mark.parametrize("settings", [{"peft_type": "IA3"}, {"peft_type": "LORA", "r": 513}])
def test_an_adapter_that_vllm_cannot_apply_is_refused(tmp_path, settings):
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="merges adapters"):
        room_for(tmp_path)


def test_the_cause_is_read_from_what_vllms_processes_printed():
    lines = [
        "(EngineCore pid=7) ERROR 11-21 12:00:00 [core.py:99] Traceback (most recent call last):",
        '(EngineCore pid=7) ERROR 11-21 12:00:00 [core.py:99]   File "x.py", line 3, in run',
        "(EngineCore pid=7) ERROR 11-21 12:00:00 [core.py:99] ValueError: Free memory on device (1/80 GiB)",
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ]
    with tempfile.TemporaryFile() as printed:
        printed.write("\n".join(lines).encode())
        printed.flush()
        shown = explained(RuntimeError("Engine core initialization failed."), printed, where="a/model")
    assert isinstance(shown, ResourceError)
    assert shown.found == "ValueError: Free memory on device (1/80 GiB)"
    other = explained(ValueError("something else"), None, where="a/model")
    assert (type(other), other.found) == (ModelError, "ValueError: something else")
