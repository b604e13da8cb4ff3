"""Earlier turns, what follows a prompt, and answers watched as they grow, on tiny random models."""

import copy
import itertools

import pytest
from engine_models import byte_tokenizer, llama_for, unigram_tokenizer

from demur.core.errors import ConversationError
from demur.engines import Message, Sampling
from demur.engines.hf import HFEngine

TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role not in ['user', 'assistant', 'system'] %}{{ raise_exception('no ' + m.role) }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def engine(*, chat):
    tokenizer = copy.deepcopy(byte_tokenizer())
    tokenizer.chat_template = TEMPLATE if chat else None
    return HFEngine(llama_for(tokenizer), tokenizer)


def test_earlier_turns_stand_before_every_prompt():
    talks = engine(chat=True)
    later = talks.after(
        [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Yes?")]
    )
    assert later.render("Who?") == "[system]Be brief.\n[user]Hi\n[assistant]Yes?\n[user]Who?\n[assistant]"
    assert talks.render("Who?") == "[user]Who?\n[assistant]", "the engine itself is as it was"
    assert later.after([]).render("Who?") == talks.render("Who?")


def test_a_history_changes_what_is_generated_as_the_whole_text_would():
    talks = engine(chat=True)
    later = talks.after([Message("user", "The cat sat on"), Message("assistant", "the mat")])
    sampling = Sampling(max_new_tokens=8, stop=())
    (told,) = later.generate(["Where?"], keys=["a"], sampling=sampling)
    plain = engine(chat=False)
    (whole,) = plain.generate([later.render("Where?")], keys=["a"], sampling=sampling)
    assert told.greedy.text == whole.greedy.text
    assert told.greedy.token_logprobs == pytest.approx(whole.greedy.token_logprobs, abs=1e-4)


def test_plain_text_has_no_turns():
    with pytest.raises(ConversationError, match="1 earlier turns: system"):
        engine(chat=False).after([Message("system", "Be brief.")])
    assert engine(chat=False).after([]).render("Who?") == "Who?"


def test_a_turn_that_the_template_does_not_know_is_refused():
    with pytest.raises(ConversationError, match="no tool"):
        engine(chat=True).after([Message("tool", "42")])


@pytest.mark.parametrize("chat", [False, True])
def test_scoring_behind_what_was_said_is_the_difference_of_two_whole_scores(chat):
    own = engine(chat=chat)
    prompt, lead, options = "Who sat?", " The cat. Sure?", [" yes", " no way"]
    (found,) = own.score([prompt], [options], leads=[lead])
    (whole,) = own.score([prompt], [[lead, *(lead + option for option in options)]])
    # log P(lead + option) - log P(lead), where the tokens of the lead are the same in all three texts
    assert found == pytest.approx([value - whole[0] for value in whole[1:]], abs=1e-4)
    (bare,) = own.score([prompt], [options], leads=[""])
    assert bare == own.score([prompt], [options])[0]


@pytest.mark.parametrize("tokenizer", [byte_tokenizer, unigram_tokenizer])
def test_a_watched_answer_grows_to_what_it_becomes(tokenizer):
    own = HFEngine(llama_for(tokenizer()), tokenizer())
    prompts = ["The cat sat", "A dog", "The cat sat on the mat and"]
    seen = {prompt: [] for prompt in prompts}
    sampling = Sampling(max_new_tokens=24, stop=("the", "\n"), samples=3)
    watched = Sampling(
        max_new_tokens=24,
        stop=("the", "\n"),
        samples=3,
        watch=lambda prompt, text: seen[prompt].append(text),
    )
    keys = ["a", "b", "c"]
    found = own.generate(prompts, keys=keys, sampling=watched)
    assert found == own.generate(prompts, keys=keys, sampling=sampling), "watching changes nothing"
    for prompt, item in zip(prompts, found, strict=True):
        texts = seen[prompt]
        assert len(texts) >= 1
        assert all(item.greedy.text.startswith(text) for text in texts), "nothing shown is taken back"
        assert all(later.startswith(text) for text, later in itertools.pairwise(texts))


def test_a_beginning_of_a_stop_string_is_held_back():
    own = HFEngine(llama_for(byte_tokenizer()), byte_tokenizer())
    endings = own._generation(Sampling(stop=("###",))).endings
    tokens = byte_tokenizer()("a b ##", add_special_tokens=False)["input_ids"]
    assert endings.so_far([], tokens) == "a b "
    assert endings.so_far([], byte_tokenizer()("a#b", add_special_tokens=False)["input_ids"]) == "a#b"
