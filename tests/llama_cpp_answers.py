"""Answers of a GGUF file by llama.cpp, as JSON: run by a Python that has `llama-cpp-python`.

python llama_cpp_answers.py MODEL.gguf < prompts.json
"""

import json
import sys

from llama_cpp import Llama

model = Llama(sys.argv[1], n_ctx=256, n_threads=1, verbose=False)
asked = json.load(sys.stdin)
found = [
    {
        "tokens": model.tokenize(prompt.encode(), add_bos=False),
        "text": model(prompt, max_tokens=15, temperature=0.0, stop=[".", "\n"])["choices"][0]["text"],
    }
    for prompt in asked
]
json.dump(found, sys.stdout)
