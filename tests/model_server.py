"""A real model behind a real HTTP server that speaks as much of the OpenAI API as a test wants of it.

It shares no code with the engines: it reads the whole text anew for each token, with transformers alone.
Run as a script it is a process that can be killed: PORT, and the file to which each reply is added.
"""

import json
import sys
import threading
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from chat_server import ChatServer, Said

MODEL = Path(__file__).parents[1] / "src/demur/pocket/model"
EVERYTHING = frozenset({"logprobs", "n", "seed", "stop", "echo", "sampling"})


class ModelAnswer:
    """Answers requests as a server with the pocket model would.

    Args:
        can: features it has; others are refused, or ignored where ``ignores``.
        chat_template: makes it answer chats too.
        shifted: how far its echoed log-probabilities stand beside their tokens, a defect seen in the wild.
    """

    def __init__(self, *, can=EVERYTHING, ignores=False, chat_template=None, shifted=0):
        self.can, self.ignores, self.shifted = frozenset(can), ignores, shifted
        self.tokenizer = AutoTokenizer.from_pretrained(MODEL)
        self.tokenizer.chat_template = chat_template
        self.model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
        self.lock, self.draws = threading.Lock(), 0

    def __call__(self, heard, _):
        body, chat = heard.body, heard.path.endswith("/chat/completions")
        lacking = {name for name in ("logprobs", "n", "seed", "stop", "echo") if name in body} - self.can
        if chat and self.tokenizer.chat_template is None:
            return refused("this model has no chat template")
        if lacking and not self.ignores:
            return refused(f"not supported: {', '.join(sorted(lacking))}")
        body = {name: value for name, value in body.items() if name not in lacking}
        with self.lock, torch.inference_mode():
            return Said(body=json.dumps(self.reply(body, chat)).encode())

    def reply(self, body, chat):
        text = body.get("prompt")
        if chat:
            text = self.tokenizer.apply_chat_template(
                body["messages"], tokenize=False, add_generation_prompt=True
            )
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        choices = [self.choice(ids, body, number, chat) for number in range(body.get("n", 1))]
        count = sum(choice.pop("count") for choice in choices)
        return {"choices": choices, "usage": {"prompt_tokens": len(ids), "completion_tokens": count}}

    def choice(self, ids, body, number, chat):
        made, chances, finish = self.generate(ids, body, number)
        text = self.tokenizer.decode(made, skip_special_tokens=True)
        stop = min((at for word in body.get("stop", ()) if (at := text.find(word)) >= 0), default=None)
        text, listed = text[:stop], [self.tokenizer.decode([token]) for token in made]
        found = {"index": number, "finish_reason": finish, "logprobs": None, "count": len(made)}
        if body.get("echo"):
            text = self.tokenizer.decode(ids) + text
            listed = [self.tokenizer.decode([token]) for token in ids] + listed
            chances = [*self.read(ids), *chances]
        if chat:
            found["message"] = {"role": "assistant", "content": text}
            pairs = zip(listed, chances, strict=True)
            content = [{"token": t, "bytes": list(t.encode()), "logprob": p} for t, p in pairs]
            return found | ({"logprobs": {"content": content}} if "logprobs" in body else {})
        logprobs = {"tokens": listed, "token_logprobs": chances}
        return found | {"text": text} | ({"logprobs": logprobs} if "logprobs" in body else {})

    def generate(self, ids, body, number):
        """Token by token: tokens, their log-probabilities at temperature 1, and why it ended."""
        self.draws += 1
        hot = body.get("temperature", 1.0) if "sampling" in self.can else 0.0
        random = torch.Generator().manual_seed(body.get("seed", 7919 * self.draws) + number)
        made, chances = [], []
        while len(made) < body["max_tokens"]:
            logprobs = self.logits([*ids, *made])[-1].log_softmax(-1)
            token = int(logprobs.argmax())
            if hot > 0:
                token = int(torch.multinomial((logprobs / hot).softmax(-1), 1, generator=random))
            made.append(token)
            chances.append(float(logprobs[token]))
            text = self.tokenizer.decode(made, skip_special_tokens=True)
            if token == self.tokenizer.eos_token_id or any(stop in text for stop in body.get("stop", ())):
                return made, chances, "stop"
        return made, chances, "length"

    def read(self, ids):
        """The log-probability of each token of a text after those before it; None for the first."""
        logprobs = self.logits(ids).log_softmax(-1)
        rows = [max(0, place - 1 + self.shifted) for place in range(len(ids))]
        return [None, *(float(logprobs[rows[place], ids[place]]) for place in range(1, len(ids)))]

    def logits(self, ids):
        return self.model(torch.tensor([ids])).logits[0]


def refused(why):
    return Said(status=400, body=json.dumps({"error": {"message": why}}).encode())


def main(port, log):
    torch.set_num_threads(1)
    answer, lock = ModelAnswer(), threading.Lock()

    def told(heard, number):
        said = answer(heard, number)
        with lock, Path(log).open("a") as file:
            file.write(json.dumps(heard.body) + "\n")
        return said

    with ChatServer(told, port=int(port)):
        Path(log).touch()  # ready
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
