"""Tiny GGUF files of random Llamas, as llama.cpp's converter would write them."""

import json

import gguf
import torch

HEADS, KEY_HEADS, WIDTH, FEED = 4, 2, 32, 64
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
ROWS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def names(model):
    """The tensors of a Llama by their names in GGUF; queries and keys in the order of llama.cpp."""
    state = model.state_dict()
    found = {
        "token_embd.weight": state["model.embed_tokens.weight"],
        "output_norm.weight": state["model.norm.weight"],
        "output.weight": state["lm_head.weight"],
    }
    for layer in range(model.config.num_hidden_layers):
        for ours, theirs in ROWS.items():
            found[f"blk.{layer}.{theirs}.weight"] = state[f"model.layers.{layer}.{ours}.weight"]
    heads = {"attn_q": HEADS, "attn_k": KEY_HEADS}
    return {
        name: permuted(tensor, heads[kind]) if (kind := name.split(".")[-2]) in heads else tensor
        for name, tensor in found.items()
    }


def permuted(tensor, heads):
    """Halves of a head's rotary dimensions, interleaved: llama.cpp's order."""
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, tensor.shape[1])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def write(path, model, tokenizer, *, kind="F32", drop=(), extra=(), architecture="llama", **fields):
    """Write a GGUF file.

    Args:
        kind: of the matrices; norms stay F32.
        drop: tensors to leave out.
        extra: names of further tensors.
        fields: strings and whole numbers by name, with ``__`` for a dot.
    """
    writer = gguf.GGUFWriter(path, architecture)
    config = model.config
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    write_tokenizer(writer, tokenizer, config.vocab_size)
    for name, value in fields.items():
        (writer.add_string if isinstance(value, str) else writer.add_uint32)(name.replace("__", "."), value)
    wanted = gguf.GGMLQuantizationType[kind]
    for name, tensor in names(model).items():
        if name in drop:
            continue
        plain = tensor.dim() == 1
        numbers = tensor.float().numpy()
        writer.add_tensor(
            name,
            numbers if plain else gguf.quants.quantize(numbers, wanted),
            raw_dtype=gguf.GGMLQuantizationType.F32 if plain else wanted,
        )
    for name in extra:
        writer.add_tensor(name, torch.ones(4).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tokenizer(writer, tokenizer, size):
    state = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    special = {token: index for token, index in tokenizer.get_vocab().items() if token == "<end>"}
    tokens = sorted({**state["vocab"], **special}.items(), key=lambda pair: pair[1])
    assert [index for _, index in tokens] == list(range(size))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_types([3 if token in special else 1 for token, _ in tokens])
    writer.add_token_merges([" ".join(pair) for pair in state["merges"]])
    writer.add_eos_token_id(special["<end>"])
    writer.add_bos_token_id(special["<end>"])
    writer.add_chat_template(TEMPLATE)
