"""Confidence signals: one file each, a number that says how far an answer can be trusted.

`SIGNALS.get("semantic-entropy")()(Said(question=…, greedy=…, samples=…))` is one of them;
`demur.signals.free.computed` gives all that a stored answer allows. Adding a signal means adding
one file and one line here.
"""

from demur.core.registry import Registry
from demur.signals.base import NEEDS, Answered, Said, Signal, SignalInfo

SIGNALS: Registry[type[Signal]] = Registry(
    "signal",
    {
        "likelihood": "demur.signals.likelihood:Likelihood",
        "sum": "demur.signals.sum:Sum",
        "min": "demur.signals.min:Min",
        "margin": "demur.signals.margin:Margin",
        "entropy": "demur.signals.entropy:Entropy",
        "agreement": "demur.signals.agreement:Agreement",
        "lexical": "demur.signals.lexical:Lexical",
        "semantic-entropy": "demur.signals.semantic_entropy:SemanticEntropy",
        "semantic-entropy-weighted": "demur.signals.semantic_entropy_weighted:SemanticEntropyWeighted",
        "num-sets": "demur.signals.num_sets:NumSets",
        "eigenvalues": "demur.signals.eigenvalues:Eigenvalues",
        "degree": "demur.signals.degree:Degree",
        "eccentricity": "demur.signals.eccentricity:Eccentricity",
        "cocoa": "demur.signals.cocoa:Cocoa",
        "p-true": "demur.signals.p_true:PTrue",
        "p-ik": "demur.signals.p_ik:PIK",
        "probe": "demur.signals.probe:Probe",
        "direction": "demur.signals.direction:Direction",
        "sep": "demur.signals.sep:SEP",
        "answer-rate": "demur.signals.answer_rate:AnswerRate",
        "sure": "demur.signals.sure:Sure",
        "verbal": "demur.signals.verbal:Verbal",
        "learned": "demur.signals.learned:Learned",
    },
    group="demur.signals",
    form="a class with info (a SignalInfo) that is called with a Said",
    fits=lambda name, found: (
        isinstance(found.info, SignalInfo) and found.info.name == name and callable(found)
    ),
)

__all__ = ["NEEDS", "SIGNALS", "Answered", "Said", "Signal", "SignalInfo"]
