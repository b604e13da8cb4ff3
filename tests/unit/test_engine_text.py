"""Prompts to tokens and tokens to text, on three kinds of tokenizers and three chat templates."""

import engine_models
import pytest
import torch

from demur.core.errors import DataError, ModelError, UnknownNameError
from demur.engines import Sampling
from demur.engines.encoding import Decoder, Encoder, common_prefix
from demur.engines.hf import HFEngine

QUESTION = "Question: Where was Ann Bell born? Answer:"
CHARACTERS = ["bytes", "unigram"]  # tokenizers that can write any text


def tokens_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def answer_tokens(encoder, text):
    prompt, answer = encoder.split(QUESTION, text)
    assert prompt == encoder.encode(QUESTION)
    return answer


@pytest.mark.parametrize("kind", list(engine_models.TOKENIZERS))
@pytest.mark.parametrize("batch", [1, 3])
def test_every_tokenizer_generates_like_transformers(kind, batch):
    tokenizer = engine_models.TOKENIZERS[kind]()
    model = engine_models.llama_for(tokenizer, seed=1, eos_token_id=tokenizer.eos_token_id)
    prompts = [QUESTION, "The cat", "Who wrote the café song? Answer:"]
    engine = HFEngine(model, tokenizer, batch_size=batch)
    found = engine.generate(prompts, keys=prompts, sampling=Sampling(max_new_tokens=8, stop=()))
    for prompt, generated in zip(prompts, found, strict=True):
        ids = torch.tensor([tokenizer(prompt)["input_ids"]])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, pad_token_id=0
        )
        prompt_text = tokenizer.decode(ids[0], skip_special_tokens=True)
        whole = tokenizer.decode(out[0], skip_special_tokens=True)
        assert prompt_text + generated.greedy.text == whole
        assert len(generated.greedy.token_logprobs) == 8 or generated.greedy.finish == "stop"


@pytest.mark.parametrize("kind", CHARACTERS)
@pytest.mark.parametrize(
    ("written", "stops", "text", "finish"),
    [
        (" Paris. The cat", (".", "\n"), " Paris", "stop"),  # the space before the first word stays
        (" José and the cat.", (".",), " José and the cat", "stop"),
        (" Paris", (".",), " Paris", "length"),
        (". Paris", (".",), "", "stop"),
        (" the cat sat", ("at s",), " the c", "stop"),  # inside of one token and into the next
        (" 1\n2\n\n3", ("\n\n",), " 1\n2", "stop"),
        (" Ann born \N{SNOWMAN}\N{SNOWMAN} x", ("\N{SNOWMAN} x",), " Ann born \N{SNOWMAN}", "stop"),
        (" Paris. I am", (" I", "."), " Paris", "stop"),  # the first in the text, not in the list
        (" Paris. I am", (), " Paris. I am", "length"),
        (" Paris. I am", ("",), " Paris. I am", "length"),
    ],
)
def test_stop_strings(kind, written, stops, text, finish):
    tokenizer = engine_models.TOKENIZERS[kind]()
    encoder = Encoder(tokenizer)
    tokens = answer_tokens(encoder, written)
    engine = HFEngine(engine_models.scripted(tokenizer, QUESTION, tokens), tokenizer)
    sampling = Sampling(max_new_tokens=len(tokens), stop=stops, samples=1)
    (generated,) = engine.generate([QUESTION], keys=["a"], sampling=sampling)
    assert generated.greedy.text == text
    assert generated.greedy.finish == finish
    assert generated.samples[0].text == text
    # Tokens that begin inside of the text, found by decoding ever more of them
    decoder = Decoder(tokenizer)
    prompt = encoder.encode(QUESTION)
    starts = [
        decoder.text(prompt, tokens[:n]).rstrip("\N{REPLACEMENT CHARACTER}") for n in range(len(tokens))
    ]
    inside = sum(len(start) < len(text) for start in starts)
    assert len(generated.greedy.token_logprobs) == max(1, inside)
    assert generated.greedy.token_logprobs == pytest.approx([0.0] * max(1, inside), abs=1e-3)


def test_end_of_text_is_no_part_of_the_text():
    tokenizer = engine_models.byte_tokenizer()
    encoder = Encoder(tokenizer)
    tokens = [*answer_tokens(encoder, " Paris"), tokenizer.eos_token_id, *tokens_of(tokenizer, " The")]
    engine = HFEngine(engine_models.scripted(tokenizer, QUESTION, tokens), tokenizer)
    (found,) = engine.generate([QUESTION], keys=["a"], sampling=Sampling(max_new_tokens=9, stop=()))
    assert found.greedy.text == " Paris"
    assert found.greedy.finish == "stop"
    assert len(found.greedy.token_logprobs) == len(answer_tokens(encoder, " Paris"))


def test_empty_answer_has_the_log_probability_of_its_end():
    tokenizer = engine_models.byte_tokenizer()
    model = engine_models.scripted(tokenizer, QUESTION, [tokenizer.eos_token_id])
    (found,) = HFEngine(model, tokenizer).generate([QUESTION], keys=["a"], sampling=Sampling())
    assert (found.greedy.text, found.greedy.finish) == ("", "stop")
    assert found.greedy.token_logprobs == pytest.approx([0.0], abs=1e-3)


def test_all_end_tokens_of_the_model_count():
    tokenizer = engine_models.byte_tokenizer()
    tokens = tokens_of(tokenizer, " Paris cat")
    model = engine_models.scripted(tokenizer, QUESTION, tokens)
    model.generation_config.eos_token_id = [7, tokens[-1]]
    (found,) = HFEngine(model, tokenizer).generate([QUESTION], keys=["a"], sampling=Sampling(stop=()))
    assert found.greedy.text == tokenizer.decode(tokens[:-1])
    assert found.greedy.finish == "stop"


@pytest.mark.parametrize("kind", CHARACTERS)
def test_boundary_between_prompt_and_continuation(kind):
    encoder = Encoder(engine_models.TOKENIZERS[kind]())
    decoder = Decoder(encoder.tokenizer)
    prompt, continuation = encoder.split(QUESTION, " Paris")
    assert prompt + continuation == encoder.encode(QUESTION, " Paris")
    assert decoder.text(prompt, continuation) == " Paris"
    # A trailing space merges with the next word: the token counts as the continuation's.
    assert encoder.encode(QUESTION + " ") != encoder.encode(QUESTION, " Answer")[: len(prompt) + 1]
    prompt, continuation = encoder.split(QUESTION + " ", "Answer")
    assert prompt + continuation == encoder.encode(QUESTION, " Answer")
    assert decoder.text(prompt, continuation) == " Answer"


def test_score_of_whole_words():
    """A word of several tokens is scored whole, and a text's parts add up to it."""
    tokenizer = engine_models.byte_tokenizer()
    engine = HFEngine(engine_models.llama_for(tokenizer), tokenizer)
    assert len(tokens_of(tokenizer, " unsurely")) > 1
    ((whole, first, none),) = engine.score([QUESTION], [[" unsurely", " unsure", ""]])
    ((rest,),) = engine.score([QUESTION + " unsure"], [["ly"]])
    assert tokens_of(tokenizer, " unsurely") == tokens_of(tokenizer, " unsure") + tokens_of(tokenizer, "ly")
    assert whole == pytest.approx(first + rest, abs=1e-4)
    assert none == 0.0


def test_plain_prompts_get_the_tokenizers_own_start_once():
    encoder = Encoder(engine_models.unigram_tokenizer())
    assert encoder.encode("The cat") == engine_models.unigram_tokenizer()("The cat")["input_ids"]
    assert encoder.encode("<s>The cat").count(1) == 1
    assert encoder.encode("") == [1]
    assert encoder.render("The cat") == "The cat"


def test_prompt_without_a_token():
    with_end = engine_models.byte_tokenizer()
    assert Encoder(with_end).encode("") == [with_end.eos_token_id]
    with pytest.raises(DataError, match="at least one token"):
        Encoder(engine_models.word_tokenizer()).encode("")


def test_a_final_end_token_of_the_tokenizer_is_left_out():
    """Some tokenizers end every text with EOS; a prompt that is to be continued must not."""
    from tokenizers import processors

    tokenizer = engine_models.unigram_tokenizer().__class__(
        tokenizer_object=engine_models.unigram_tokenizer().backend_tokenizer.__class__.from_str(
            engine_models.unigram_tokenizer().backend_tokenizer.to_str()
        ),
        bos_token="<s>",
        eos_token="</s>",
    )
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    assert tokenizer("The cat")["input_ids"][-1] == 2
    assert Encoder(tokenizer).encode("The cat") == tokenizer("The cat")["input_ids"][:-1]


NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ '[' + m.role + '] ' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
ADDS_BOS = (
    "{{ bos_token }}{% for m in messages %}{{ '### ' + m.role + ': ' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}### assistant:{% endif %}"
)
THINKS = (
    "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>\n"
    "{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
ALWAYS_THINKS = """{{ messages[0].content }}{% if add_generation_prompt %}<assistant><think>\n{% endif %}"""


def chat_tokenizer(template):
    source = engine_models.unigram_tokenizer()
    copy = source.__class__(
        tokenizer_object=source.backend_tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    copy.chat_template = template
    return copy


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        (NO_SYSTEM, "[user] Who?\n[assistant]"),
        (ADDS_BOS, "<s>### user: Who?\n### assistant:"),
        (THINKS, "<user>Who?\n<assistant>\n<think>\n\n</think>\n\n"),
        (ALWAYS_THINKS, "Who?<assistant><think>\n\n</think>\n\n"),
    ],
    ids=["no system role", "adds BOS", "switch for thinking", "always thinks"],
)
def test_chat_templates(template, rendered):
    encoder = Encoder(chat_tokenizer(template))
    assert encoder.format == "chat"
    assert encoder.render("Who?") == rendered
    ids = encoder.encode("Who?")
    assert ids.count(1) == (1 if "<s>" in rendered else 0)
    assert ids == encoder.tokenizer(rendered, add_special_tokens=False)["input_ids"]
    prompt, answer = encoder.split(encoder.render("Who?"), " José.")
    assert prompt + answer == encoder.encode("Who?", " José.")
    assert Encoder(encoder.tokenizer, format="plain").render("Who?") == "Who?"


def test_thinking_can_be_left_on():
    assert "</think>" not in Encoder(chat_tokenizer(THINKS), chat_options={"enable_thinking": True}).render(
        "Who?"
    )
    assert (
        Encoder(chat_tokenizer(ALWAYS_THINKS), chat_options={"thinking": True})
        .render("Who?")
        .endswith("<think>\n")
    )


@pytest.mark.parametrize("template", [NO_SYSTEM, ADDS_BOS, THINKS])
def test_chat_model_generates_scores_and_asks(template):
    tokenizer = chat_tokenizer(template)
    model = engine_models.llama_for(tokenizer, seed=2)
    engine = HFEngine(model, tokenizer)
    assert engine.chat
    (found,) = engine.generate(["Who?"], keys=["a"], sampling=Sampling(max_new_tokens=6, stop=()))
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Who?"}], add_generation_prompt=True, enable_thinking=False,
        return_tensors="pt",
    )["input_ids"]  # fmt: skip
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False, pad_token_id=0
    )
    assert out[0].tolist()[ids.shape[1] :] == [*out[0, ids.shape[1] :].tolist()]
    assert found.greedy.text == Decoder(tokenizer).text(ids[0].tolist(), out[0, ids.shape[1] :].tolist())
    (asked,) = engine.ask(
        ["Who?"],
        sampling=Sampling(max_new_tokens=6),
        follow_up=lambda _, text: f"{text}. I am",
        options=[" sure"],
    )
    lead = asked.response.text + ". I am"
    ((both,),) = engine.score(["Who?"], [[lead + " sure"]])
    ((first,),) = engine.score(["Who?"], [[lead]])
    assert asked.option_logprobs[0] == pytest.approx(both - first, abs=1e-3)


def test_formats_that_do_not_fit():
    with pytest.raises(ModelError, match="chat template"):
        Encoder(engine_models.byte_tokenizer(), format="chat")
    with pytest.raises(UnknownNameError, match="did you mean 'plain'"):
        Encoder(engine_models.byte_tokenizer(), format="plian")


def test_common_prefix():
    assert common_prefix([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_prefix([1, 2], [1, 2, 4]) == 2
    assert common_prefix([], [1]) == 0
