"""Every prompt and label word, one definition each, used by probe, training and inference alike.

A template holds the parts of the texts, never whole rows, so that what is trained on and what is
asked afterwards cannot drift apart. Every part can be replaced by the user, in any language.
"""

from __future__ import annotations

from dataclasses import dataclass

CERTAINTY_QUESTION = "Are you sure you accurately answered the question based on your internal knowledge?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The texts around a question and its answer.

    The pieces are joined as::

        {prompt}{answer_lead}{answer}{answer_end}{certainty_question}{certainty_lead}{sure}{certainty_end}
    """

    name: str
    prompt: str
    """The question as the model reads it; must hold ``{question}``."""
    answer_lead: str = " "
    """Between prompt and answer. Kept out of the prompt: most tokenizers join it to the next word."""
    answer_end: str = ". "
    """After the answer, before the certainty question."""
    certainty_question: str = CERTAINTY_QUESTION
    certainty_lead: str = " I am"
    sure: str = " sure"
    """Label word of certain data (D1), with the space before it."""
    unsure: str = " unsure"
    """Label word of uncertain data (D0), with the space before it."""
    certainty_end: str = "."
    refusal: str = "I don't know."
    """What a user reads in place of an answer that the system declines to give."""
    source: str = ""

    def ask(self, question: str) -> str:
        """The prompt for a question."""
        return self.prompt.replace("{question}", question)

    def answered(self, answer: str) -> str:
        """The answer as it continues the prompt, with its full stop."""
        return f"{self.answer_lead}{answer}{self._end(answer).rstrip()}"

    def certainty(self, answer: str) -> str:
        """Everything from the answer up to, not including, the label word."""
        return (
            f"{self.answer_lead}{answer}{self._end(answer)}{self.certainty_question}{self.certainty_lead}"
        )

    def _end(self, answer: str) -> str:
        """What ends an answer; one that has its full stop gets no second one."""
        return self.answer_end.lstrip(".") if answer.endswith(".") else self.answer_end

    def label(self, certain: bool) -> str:
        """The label word and what follows it."""
        return (self.sure if certain else self.unsure) + self.certainty_end


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template(
            name="r-tuning-code",
            prompt="Question: {question} Answer:",
            source="R-Tuning (arXiv 2311.09677), released training and evaluation scripts",
        ),
        Template(
            name="r-tuning-paper",
            prompt="Q: {question}, A:",
            source="R-Tuning (arXiv 2311.09677), section 2.2",
        ),
    )
}
"""Template families by name; ``r-tuning-code`` is the default."""
