"""Opening models: what is picked, what is refused and how that is said; memory; training mode."""

import http.server
import json
import threading

import engine_models
import pytest
import safetensors.torch
import torch

from demur.core.errors import ConfigError, DataError, ModelError, ResourceError
from demur.engines import ENGINES, Engine, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.loading import load_config

PROMPTS = ["Question: Where was Ann Bell born? Answer:", "The cat", "Who? Answer:", "I am"]


@pytest.fixture
def folder(tmp_path):
    """An ordinary model folder."""
    tokenizer = engine_models.byte_tokenizer()
    path = tmp_path / "model"
    engine_models.llama_for(tokenizer).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def use_hub(monkeypatch, address):
    """What the environment variable HF_ENDPOINT does where it is set before the import."""
    url = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url)


def answers(engine):
    found = engine.generate(PROMPTS, keys=PROMPTS, sampling=Sampling(max_new_tokens=6, stop=()))
    return [(generated.greedy.text, generated.greedy.token_logprobs) for generated in found]


def test_open_gives_an_engine(folder):
    opened: Engine = ENGINES.get("hf").open(Opening(str(folder), device="cpu"))
    in_memory = HFEngine(
        engine_models.llama_for(engine_models.byte_tokenizer()), engine_models.byte_tokenizer()
    )
    assert answers(opened) == answers(in_memory)
    assert opened.model.dtype == torch.float32
    assert not opened.chat
    assert opened.name == "hf"
    assert opened.capabilities.token_logprobs
    assert opened.capabilities.scores_continuations
    assert load_config(Opening(folder)).model_type == "llama"


def test_dtype_can_be_chosen(folder):
    engine = HFEngine.open(Opening(folder, dtype="bfloat16", device="cpu"))
    assert engine.model.dtype == torch.bfloat16
    assert len(answers(engine)) == len(PROMPTS)
    with pytest.raises(ConfigError, match=r"found: +'int8'"):
        HFEngine.open(Opening(folder, dtype="int8"))
    with pytest.raises(ConfigError, match=r"found: +'abacus'"):
        HFEngine.open(Opening(folder, device="abacus"))
    for size in (0, "many"):
        with pytest.raises(ConfigError, match="batch_size"):
            HFEngine.open(Opening(folder, device="cpu", batch_size=size))
    with pytest.raises(ConfigError, match=r"(?s)the engine hf has none.*tensor_parallel_size"):
        HFEngine.open(Opening(folder, device="cpu", options={"tensor_parallel_size": 2}))


def test_empty_lists(folder):
    engine = HFEngine.open(Opening(folder, device="cpu"))
    assert engine.generate([], keys=[], sampling=Sampling()) == []
    assert engine.score([], []) == []
    assert engine.ask([], sampling=Sampling(), follow_up=lambda _, text: text, options=[" sure"]) == []
    (nothing,) = engine.generate(["The"], keys=["a"], sampling=Sampling(greedy=False))
    assert (nothing.greedy, nothing.samples) == (None, ())
    (asked,) = engine.ask(["The"], sampling=Sampling(), follow_up=lambda _, text: text, options=[])
    assert asked.option_logprobs == ()


def test_adapter_is_merged_and_finds_its_base(folder, tmp_path):
    from peft import LoraConfig, get_peft_model

    model = engine_models.llama_for(engine_models.byte_tokenizer(), seed=3)
    base = tmp_path / "base"
    model.save_pretrained(base)
    engine_models.byte_tokenizer().save_pretrained(base)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tuned = get_peft_model(
            model, LoraConfig(r=4, init_lora_weights=False, target_modules=["q_proj", "up_proj"])
        )
    tuned.peft_config["default"].base_model_name_or_path = str(base)
    tuned.save_pretrained(tmp_path / "adapter")
    as_it_is = HFEngine(tuned, engine_models.byte_tokenizer())
    merged = HFEngine.open(Opening(base, adapter=tmp_path / "adapter", device="cpu"))
    alone = HFEngine.open(Opening(tmp_path / "adapter", device="cpu"))
    assert [a for a, _ in answers(merged)] == [a for a, _ in answers(as_it_is)]
    assert answers(merged) == answers(alone)
    assert answers(merged) != answers(HFEngine.open(Opening(base, device="cpu")))
    assert not any("lora" in name for name, _ in merged.model.named_parameters())
    with pytest.raises(ModelError, match=r"adapter_config\.json"):
        HFEngine.open(Opening(base, adapter=folder))
    with pytest.raises(ModelError, match="no such folder"):
        HFEngine.open(Opening(base, adapter=tmp_path / "nowhere"))


def test_a_small_change_of_an_adapter_survives_a_coarser_dtype(folder, tmp_path):
    """Changes of a quarter of bfloat16's last place: added to a rounded weight they vanish, one and all."""
    from peft import LoraConfig, get_peft_model

    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        name = next(key for key in file.keys() if key.endswith("0.self_attn.q_proj.weight"))  # noqa: SIM118
        stored = file.get_tensor(name)
    tuned = get_peft_model(
        engine_models.llama_for(engine_models.byte_tokenizer()),
        LoraConfig(r=1, lora_alpha=1, target_modules=["q_proj"]),
    )
    step = stored.abs().mean().item() / 512
    for parameter, weights in tuned.named_parameters():
        if "lora_" in parameter:
            weights.data.fill_(1 if "lora_A" in parameter else step)
    tuned.save_pretrained(tmp_path / "adapter")
    opening = Opening(folder, adapter=tmp_path / "adapter", dtype="bfloat16", device="cpu")
    opened = HFEngine.open(opening)
    found = opened.model.state_dict()[name]
    assert opened.model.dtype == found.dtype == opened.model.config.dtype == torch.bfloat16
    assert torch.equal(found, (stored + step).to(torch.bfloat16))
    assert found.float().mean() - stored.mean() == pytest.approx(step, rel=0.3)
    assert opened.model.model.rotary_emb.inv_freq.dtype == torch.float32


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "found: +no config.json\n"),
        ("model.safetensors", r"found: +no weights \(model.safetensors\)\n"),
        ("tokenizer.json", r"found: +no a tokenizer|found: +no tokenizer"),
    ],
)
def test_incomplete_folder(folder, missing, message):
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=message) as caught:
        HFEngine.open(Opening(folder, device="cpu"))
    assert str(folder) in str(caught.value)


def test_missing_shard(folder):
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"no model-2\.safetensors"):
        HFEngine.open(Opening(folder, device="cpu"))


def test_pickled_weights_are_refused(folder):
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only pickled weights.*pytorch_model.bin"):
        HFEngine.open(Opening(folder, device="cpu"))


def test_damaged_weights(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="check that the files are whole"):
        HFEngine.open(Opening(folder, device="cpu"))


def test_code_of_the_model_is_not_run(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "strange",
        "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('this code must not run')")
    with pytest.raises(ModelError, match="brings Python code"):
        HFEngine.open(Opening(folder, device="cpu"))


def test_unknown_architecture(folder):
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "strange"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="architecture"):
        HFEngine.open(Opening(folder, device="cpu"))


@pytest.mark.parametrize("path", ["./nowhere", "/no/such/model", "a/b/c", "~/nowhere-at-all"])
def test_missing_folder(path):
    with pytest.raises(ModelError, match="no such folder"):
        HFEngine.open(Opening(path))


def test_unreachable_hub(monkeypatch):
    """A real attempt, at an address where nobody listens."""
    use_hub(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="no hub"):
        HFEngine.open(Opening("someone/some-model"))


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "GatedRepo", "a gated model"),
        (404, "RepoNotFound", "no model"),
        (404, "RevisionNotFound", "no model"),
    ],
)
def test_what_a_hub_refuses(monkeypatch, status, code, message):
    """A real server on this machine that answers as the hub does."""

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use_hub(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(ModelError, match=message) as caught:
            HFEngine.open(Opening("someone/some-model"))
        server.shutdown()
    assert "where:    someone/some-model" in str(caught.value)


def test_a_name_that_cannot_be():
    with pytest.raises(ModelError, match="no folder and no model"):
        HFEngine.open(Opening("not a name!"))


def test_too_long_a_prompt():
    tokenizer = engine_models.word_tokenizer()
    engine = HFEngine(engine_models.tiny_model("gpt2"), tokenizer)  # a context of 256 tokens
    fits, does_not = "w1 " * 250, "w1 " * 251
    sampling = Sampling(max_new_tokens=6, stop=())
    assert len(engine.generate([fits], keys=["a"], sampling=sampling)) == 1
    with pytest.raises(DataError, match="251 tokens, with 6 to follow"):
        engine.generate(["w1", does_not], keys=["a", "b"], sampling=sampling)


def test_memory_that_runs_out_halves_the_batch():
    """A real allocation fails inside of the model when more than two rows are read."""
    tokenizer = engine_models.byte_tokenizer()
    model = engine_models.llama_for(tokenizer)
    expected = answers(HFEngine(model, tokenizer))
    sizes, full = [], 2

    def take_memory(_module, _args, kwargs):
        rows = kwargs["input_ids"].shape[0]
        sizes.append(rows)
        if rows > full:
            torch.empty(2**55, dtype=torch.uint8)

    hook = model.register_forward_pre_hook(take_memory, with_kwargs=True)
    finished = []
    engine = HFEngine(model, tokenizer)
    sampling = Sampling(max_new_tokens=6, stop=())
    found = engine.generate(PROMPTS, keys=PROMPTS, sampling=sampling, progress=finished.append)
    assert [generated.greedy.text for generated in found] == [text for text, _ in expected]
    assert sizes[0] == 4
    assert max(sizes[1:]) == 2
    assert finished == [2, 2]
    full = 0
    with pytest.raises(ResourceError, match="one prompt at a time"):
        engine.generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    hook.remove()


def test_progress_counts_every_prompt():
    tokenizer = engine_models.byte_tokenizer()
    engine = HFEngine(engine_models.llama_for(tokenizer), tokenizer, batch_size=3)
    for call in (
        lambda tell: engine.generate(PROMPTS, keys=PROMPTS, sampling=Sampling(), progress=tell),
        lambda tell: engine.score(PROMPTS, [[" a"]] * 4, progress=tell),
        lambda tell: engine.ask(
            PROMPTS, sampling=Sampling(), follow_up=lambda _, text: text, options=[" a"], progress=tell
        ),
    ):
        counts = []
        call(counts.append)
        assert counts == [3, 1]


def test_a_model_in_training_stays_in_training():
    tokenizer = engine_models.byte_tokenizer()
    model = engine_models.llama_for(tokenizer, attention_dropout=0.5)
    still = answers(HFEngine(model, tokenizer))
    model.train()
    threads = torch.get_num_threads()
    assert answers(HFEngine(model, tokenizer)) == still
    assert model.training
    assert torch.get_num_threads() == threads
    assert all(parameter.requires_grad for parameter in model.parameters())
    model.eval()
