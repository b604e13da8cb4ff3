"""llama.cpp's own converter, told which tokenizer a pocket model has.

The converter recognises tokenizers by a fingerprint, and nobody's list has the pocket models'. Theirs is a
byte-level BPE that takes whole words as they are (`ignore_merges`), which llama.cpp calls ``llama-bpe``; it
wants one merge at least, and gets one that no text of a pocket world needs. For tests only.
"""

import os
import runpy
import sys
from pathlib import Path

script = Path(os.environ["LLAMA_CPP_DIR"]) / "convert_hf_to_gguf.py"
sys.path[:0] = [str(script.parent), str(script.parent / "gguf-py")]

import gguf  # noqa: E402 - found in the checkout only
from conversion.base import TextModel  # noqa: E402


class PocketVocab(gguf.SpecialVocab):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.merges = self.merges or ["Ġ Ġ"]
        self.add_special_token["bos"] = False  # as the tokenizer; a llama-bpe has one by default


gguf.SpecialVocab = PocketVocab
TextModel.get_vocab_base_pre = lambda self, tokenizer: "llama-bpe"
runpy.run_path(str(script), run_name="__main__")
