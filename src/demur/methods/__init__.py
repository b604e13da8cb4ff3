"""Methods: one file each, with the training set it builds and how it elicits answer and confidence."""

from demur.core.names import reserved
from demur.core.registry import Registry
from demur.methods.base import Elicited, Labelled, Method, MethodInfo, Setup

METHODS: Registry[type[Method]] = Registry(
    "method",
    {
        "demur": "demur.methods.demur:Demur",
        "probe": "demur.methods.probe:Probe",
        "p-ik": "demur.methods.p_ik:PIK",
        "r-tuning": "demur.methods.r_tuning:RTuning",
        "r-tuning-r": "demur.methods.r_tuning_r:RTuningR",
        "r-tuning-u": "demur.methods.r_tuning_u:RTuningU",
        "r-tuning-min-loss": "demur.methods.r_tuning_min_loss:RTuningMinLoss",
        "pretrain-t": "demur.methods.untuned:PretrainT",
        "vanilla": "demur.methods.vanilla:Vanilla",
        "vanilla-c": "demur.methods.vanilla_c:VanillaC",
        "vanilla-u": "demur.methods.vanilla_u:VanillaU",
        "unaligned": "demur.methods.untuned:Unaligned",
        "honesty-prompt": "demur.methods.honesty_prompt:HonestyPrompt",
        "self-consistency": "demur.methods.self_consistency:SelfConsistency",
        "verbal-confidence": "demur.methods.verbal_confidence:VerbalConfidence",
        "fine-tuned": "demur.methods.fine_tuned:FineTuned",
        "absolute": "demur.methods.absolute:Absolute",
        "confidence-num": "demur.methods.confidence_num:ConfidenceNum",
        "confidence-verb": "demur.methods.confidence_verb:ConfidenceVerb",
        "multisample": "demur.methods.multisample:Multisample",
        "us-tuning": "demur.methods.us_tuning:USTuning",
        "us-tuning-stage1": "demur.methods.us_tuning_stage1:USTuningStage1",
        "us-tuning-plain-qa": "demur.methods.us_tuning_plain_qa:USTuningPlainQA",
        "us-tuning-stage2": "demur.methods.us_tuning_stage2:USTuningStage2",
    },
    group="demur.methods",
    form="a class with info (a MethodInfo), build and elicit",
    fits=lambda name, found: (
        isinstance(found.info, MethodInfo)
        and found.info.name == name
        and callable(found.build)
        and callable(found.elicit)
    ),
    kept=reserved,
)

__all__ = ["METHODS", "Elicited", "Labelled", "Method", "MethodInfo", "Setup"]
