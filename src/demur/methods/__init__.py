"""Methods: one file each, with the training set it builds and how it elicits answer and confidence."""

from demur.methods.base import Elicited, Labelled, Method, MethodInfo, Setup
from demur.registry import Registry

METHODS: Registry[type[Method]] = Registry(
    "method",
    {
        "r-tuning": "demur.methods.r_tuning:RTuning",
        "vanilla": "demur.methods.vanilla:Vanilla",
    },
)

__all__ = ["METHODS", "Elicited", "Labelled", "Method", "MethodInfo", "Setup"]
