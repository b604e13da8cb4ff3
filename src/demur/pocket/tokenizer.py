"""A tokenizer without an unknown token: whole words where it knows them, bytes everywhere else.

A byte-level BPE without a single merge. ``ignore_merges`` makes a pre-token that stands in the
vocabulary one token; every other pre-token falls apart into its bytes, which are all in the
vocabulary, so every text comes back as it went in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

END = "<|endoftext|>"
PAD = "<|pad|>"

BYTES = 256
"""The first ids are the bytes; whole words and special tokens come after them."""


_WHOLE_CONTRACTIONS = r" ?\p{L}+(?:'\p{L}+)?| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""How text is split where "I'm" stays one word; by default it is " I" and "'m"."""


def make_tokenizer(
    texts: Iterable[str],
    *,
    words: Iterable[str] = (),
    max_length: int = 512,
    whole_contractions: bool = False,
) -> Any:
    """A fast tokenizer whose vocabulary holds all bytes and every word of some texts.

    Args:
        texts: each pre-token in them becomes a token, in the form it has there (with or without the
            space before it). Digits and punctuation of one byte are tokens already.
        words: further words, added in the form they have after a space.
        max_length: tokens that the model can hold.
        whole_contractions: "I'm" is one token.

    Returns:
        A ``PreTrainedTokenizerFast`` with end and pad tokens, which adds nothing around a text.
    """
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from transformers import PreTrainedTokenizerFast

    splitter: Any = ByteLevel(add_prefix_space=False, use_regex=not whole_contractions)
    if whole_contractions:
        splitter = Sequence([Split(Regex(_WHOLE_CONTRACTIONS), "isolated"), splitter])
    pieces = {piece for text in texts for piece, _ in splitter.pre_tokenize_str(text)}
    pieces |= {"Ġ" + word for word in words}
    alphabet = sorted(ByteLevel.alphabet())
    tokens = alphabet + sorted(pieces - set(alphabet))
    tokenizer = Tokenizer(BPE({token: n for n, token in enumerate(tokens)}, [], ignore_merges=True))
    tokenizer.pre_tokenizer, tokenizer.decoder = splitter, Decoder()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in (END, PAD)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write the tokenizer as an ordinary Hugging Face folder that ``AutoTokenizer`` opens.

    The class is written under the name that every version of transformers knows.
    """
    tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
