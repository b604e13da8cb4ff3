"""The output head of a frozen model multiplies all rows at once, on every way through the engine."""

import subprocess
import sys

import pytest
import torch
from engine_models import tiny_model, word_tokenizer
from peft import LoraConfig, get_peft_model

from demur.engines import Sampling
from demur.engines.decoding import CausalModel
from demur.engines.hf import HFEngine

PROMPTS = ["w1 w2 w3", "w4", "w5 w6 w7 w8", "w9 w10"]
FAMILIES = ["llama", "gemma3", "gpt2", "phi", "bloom", "opt", "mamba"]

MEMORY = """
import resource, sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
from demur.engines.decoding import CausalModel

config = LlamaConfig(vocab_size=49_152, hidden_size=128, intermediate_size=64, num_hidden_layers=1,
                     num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64)
model = LlamaForCausalLM(config).eval().to(torch.bfloat16).requires_grad_(False)
source = CausalModel(model)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.inference_mode():
    source.read([[1, 2, 3]] * 64)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def watched(model):
    """Whether each input of the model's head lay in one block when it was multiplied, in order.

    `is_contiguous` does not look at the strides of dimensions of size 1, which the product does.
    """
    seen = []
    model.get_output_embeddings().register_forward_hook(
        lambda _, inputs, __: seen.append(inputs[0].stride() == torch.empty(inputs[0].shape).stride())
    )
    return seen


@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1]], ids=["several", "one"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_through_the_engine_hands_the_head_one_block(family, prompts):
    model = tiny_model(family, seed=7).requires_grad_(False)
    engine = HFEngine(model, word_tokenizer(), format="plain")
    seen = watched(model)
    greedy, sampled = Sampling(max_new_tokens=3), Sampling(max_new_tokens=3, samples=2)
    engine.generate(prompts, keys=prompts, sampling=sampled)
    engine.score(prompts, [[" w1 w2", " w3"]] * len(prompts))
    engine.ask(prompts, sampling=greedy, follow_up=lambda *_: " w1 w2", options=[" w3", " w4 w5"])
    assert seen
    assert all(seen)


def test_a_merged_adapter_is_folded_too():
    torch.manual_seed(0)
    wrapped = get_peft_model(tiny_model("llama", seed=8), LoraConfig(target_modules="all-linear"))
    for model in (wrapped, wrapped.merge_and_unload()):
        source, seen = CausalModel(model), watched(model)
        with torch.inference_mode():
            source.read([[1, 2, 3], [4, 5, 6]])
        assert seen == [True]


def test_opening_a_model_twice_adds_one_hook():
    model = tiny_model("llama", seed=9)
    for _ in range(3):
        CausalModel(model)
    assert len(model.get_output_embeddings()._forward_pre_hooks) == 1


def test_a_frozen_head_of_49_thousand_tokens_takes_no_copy_of_its_weight_per_row():
    """64 rows: the logits are 12 MB; a copy of the weight for every row took 750 MB."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200


def test_the_missing_kernel_of_bitsandbytes_is_no_news():
    """peft imports bitsandbytes, which says so on processors with bfloat16 instructions."""
    pytest.importorskip("bitsandbytes")
    code = "import demur.engines.loading, peft, bitsandbytes"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "gemm_4bit" not in done.stderr
