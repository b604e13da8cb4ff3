"""Tiny random models of many families and locally built tokenizers, for the engine's tests."""

import json
from functools import cache

import numpy as np
import scipy.stats
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from demur.engines.encoding import Encoder

WORDS = 60
SIZES = dict(  # noqa: C408
    vocab_size=WORDS,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=256,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
)
LLAMA_LIKE = {"intermediate_size": 48, "num_key_value_heads": 2, "initializer_range": 0.3}

FAMILIES = {
    "llama": ("llama", LLAMA_LIKE),
    "qwen3": ("qwen3", {**LLAMA_LIKE, "head_dim": 8}),
    # one layer sees 6 tokens, the other everything
    "gemma3": (
        "gemma3_text",
        {
            **LLAMA_LIKE,
            "head_dim": 8,
            "sliding_window": 6,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
    "mistral": ("mistral", {**LLAMA_LIKE, "sliding_window": 6}),
    "phi": ("phi", {"intermediate_size": 48, "initializer_range": 0.3}),
    "gpt2": ("gpt2", {"initializer_range": 0.3}),
    "olmo2": ("olmo2", LLAMA_LIKE),
    "gpt-neox": ("gpt_neox", {"intermediate_size": 48, "initializer_range": 0.3}),
    "stablelm": ("stablelm", LLAMA_LIKE),
    "falcon": ("falcon", {"initializer_range": 0.3, "new_decoder_architecture": False}),
    "falcon-alibi": ("falcon", {"initializer_range": 0.3, "alibi": True}),
    "bloom": ("bloom", {"initializer_range": 0.3}),
    "opt": ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 32, "init_std": 0.3}),
    # no keys and values to keep: run without a cache
    "mamba": ("mamba", {"state_size": 4, "initializer_range": 0.3}),
}


@cache
def tiny_model(family: str, seed: int = 0):
    """A random model of a family with a vocabulary of `WORDS` words."""
    kind, options = FAMILIES[family]
    sizes = {name: size for name, size in SIZES.items() if kind != "mamba" or "attention" not in name}
    config = AutoConfig.for_model(kind, **{**sizes, **options})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config).eval()


@cache
def word_tokenizer():
    """w0 … w59, one token each, joined by spaces; no special token at all."""
    vocabulary = {f"w{index}": index for index in range(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


TEXT = """Question: Where was Ann Bell born? Answer: Paris. Question: Who wrote the café song? Answer: José.
Are you sure you accurately answered the question based on your internal knowledge? I am sure. I am unsure.
The cat sat on the mat, and the other cat did not. \N{SNOWMAN} 1234567890"""


@cache
def byte_tokenizer():
    """Byte-level BPE as in GPT-2: no BOS, no pad, ``<end>`` as EOS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<end>"]
    )
    tokenizer.train_from_iterator([TEXT] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")


@cache
def unigram_tokenizer():
    """Unigram with BOS, byte fallback and a dummy prefix, as SentencePiece makes them."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Prepend("\N{LOWER ONE EIGHTH BLOCK}"),
            normalizers.Replace(" ", "\N{LOWER ONE EIGHTH BLOCK}"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(
        [TEXT] * 3, trainers.UnigramTrainer(vocab_size=420, special_tokens=specials, unk_token="<unk>")
    )
    state = json.loads(tokenizer.to_str())
    state["model"]["byte_fallback"] = True
    state["added_tokens"] = [token for token in state["added_tokens"] if token["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\N{LOWER ONE EIGHTH BLOCK}", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


TOKENIZERS = {"bytes": byte_tokenizer, "unigram": unigram_tokenizer, "words": word_tokenizer}


def llama_for(tokenizer, seed: int = 0, **options):
    """A random Llama with a tokenizer's vocabulary."""
    sizes = {**SIZES, **LLAMA_LIKE, "vocab_size": len(tokenizer), **options}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).eval()


def scripted(tokenizer, prompt: str, tokens: list[int]):
    """A GPT-2 that continues one prompt with given tokens, whatever it reads.

    Every weight is zero but the position embeddings and the head: position p is the p-th unit vector,
    so the head's row for a token holds 20 at the positions after which it is to come.
    """
    length = len(Encoder(tokenizer).encode(prompt))
    size = 64
    assert length + len(tokens) <= size
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_embd=size, n_positions=size, n_layer=1, n_head=1,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.transformer.wpe.weight.copy_(torch.eye(size))
        model.transformer.ln_f.weight.fill_(1.0)
        for offset, token in enumerate(tokens):
            model.lm_head.weight[token, length - 1 + offset] = 20.0
    return model


@torch.no_grad()
def distribution(model, tokens, temperature, top_p):
    """Probabilities of the next token as they are sampled from, shape ``(vocabulary,)``."""
    weights = torch.softmax(
        model(input_ids=torch.tensor([tokens])).logits[0, -1] / temperature, -1
    ).double()
    kept, total = torch.zeros_like(weights), 0.0
    for token in weights.argsort(descending=True):
        if total >= top_p:
            break
        kept[token] = weights[token]
        total += weights[token].item()
    return (kept / kept.sum()).numpy()


def p_value(counts, probabilities):
    """Chi-square with tokens expected fewer than five times put together."""
    expected = probabilities * counts.sum()
    assert counts[probabilities == 0].sum() == 0
    rare = expected < 5
    seen = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum())
    keep = wanted > 0
    return scipy.stats.chisquare(seen[keep], wanted[keep]).pvalue
