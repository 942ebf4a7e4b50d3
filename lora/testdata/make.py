"""Makes the models and adapters of lora's tests, with PEFT.

    make.py            writes beside itself: models/, cases/, golden.json, golden.safetensors

Made with peft 0.21.2, transformers 5.23.0 and torch 2.15.0 on a CPU. Weights are
random. golden.safetensors holds, of each case, every tensor of the base that the
adapter changes, as PEFT's modules act with the adapter on, unmerged: a matrix is
what a module makes of unit vectors, an embedding what it makes of all tokens.
"""

import copy
import json
import pathlib
import shutil
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen2Config
from transformers.pytorch_utils import Conv1D

warnings.simplefilter("ignore")
here = pathlib.Path(__file__).parent
sizes = dict(hidden_size=16, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, vocab_size=12, max_position_embeddings=8)
models = {
    "own": Qwen2Config(**sizes, tie_word_embeddings=False),  # a head of its own, biases on q, k and v
    "tied": LlamaConfig(**sizes, tie_word_embeddings=True),
    "gpt2": GPT2Config(n_embd=16, n_inner=12, n_layer=1, n_head=2, vocab_size=12, n_positions=8, bos_token_id=0, eos_token_id=0, tie_word_embeddings=False),
}
attention, mlp = ["q_proj", "k_proj", "v_proj", "o_proj"], ["gate_proj", "up_proj", "down_proj"]
tying = dict(ensure_weight_tying=True)
cases = {  # name: model, configuration
    "plain": ("own", dict(target_modules=["q_proj", "v_proj"])),
    "all-linear": ("own", dict(target_modules="all-linear", r=1)),
    "regex": ("own", dict(target_modules=r".*\.(q|down)_proj")),
    "exclude": ("own", dict(target_modules=attention, exclude_modules=["k_proj", "v_proj"])),
    "layers": ("own", dict(target_modules=["k_proj"], layers_to_transform=[0], layers_pattern="layers")),
    "rslora": ("own", dict(target_modules=["q_proj", "up_proj"], use_rslora=True, lora_alpha=3)),
    "patterns": ("own", dict(target_modules=attention, rank_pattern={"q_proj": 1, r"self_attn\.[kv]_proj": 3}, alpha_pattern={"v_proj": 5, "^model.layers.0.*o_proj": 7})),
    "dora": ("own", dict(target_modules=["q_proj", "down_proj"], use_dora=True)),
    "dora-patterns": ("own", dict(target_modules=["q_proj", "down_proj"], use_dora=True, use_rslora=True, rank_pattern={"down_proj": 3})),
    "lora-bias": ("own", dict(target_modules=["q_proj", "k_proj"], lora_bias=True)),
    "bias-all": ("own", dict(target_modules=["k_proj", "o_proj"], bias="all")),
    "bias-lora-only": ("own", dict(target_modules=["k_proj"], bias="lora_only")),
    "embedding-and-head": ("own", dict(target_modules=["embed_tokens", "lm_head", "k_proj"])),
    "save-norms": ("own", dict(target_modules=["k_proj"], modules_to_save=["norm", "input_layernorm"])),
    "save-embedding-and-head": ("own", dict(target_modules=["k_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "save-container": ("own", dict(target_modules=["k_proj"], modules_to_save=["self_attn.v_proj", "mlp"])),
    "tokens": ("own", dict(target_modules=["k_proj"], trainable_token_indices={"embed_tokens": [7, 3]})),
    "tokens-list": ("own", dict(target_modules=["k_proj"], trainable_token_indices=[0, 11])),
    "conv1d": ("gpt2", dict(target_modules=["c_attn", "c_proj"], fan_in_fan_out=True)),
    "conv1d-dora": ("gpt2", dict(target_modules=["c_proj"], fan_in_fan_out=True, use_dora=True)),
    "conv1d-and-head": ("gpt2", dict(target_modules=["c_proj", "lm_head"])),
    "conv1d-embedding": ("gpt2", dict(target_modules=["c_fc", "wte"], modules_to_save=["ln_f"])),
    "tied-save-embedding": ("tied", dict(target_modules=["k_proj"], modules_to_save=["embed_tokens"])),
    "tied-save-embedding-tying": ("tied", dict(target_modules=["k_proj"], modules_to_save=["embed_tokens"], **tying)),
    "tied-save-head": ("tied", dict(target_modules=["k_proj"], modules_to_save=["lm_head"])),
    "tied-save-head-tying": ("tied", dict(target_modules=["k_proj"], modules_to_save=["lm_head"], **tying)),
    "tied-embedding": ("tied", dict(target_modules=["k_proj", "embed_tokens"])),
    "tied-embedding-tying": ("tied", dict(target_modules=["k_proj", "embed_tokens"], **tying)),
    "tied-embedding-patterns": ("tied", dict(target_modules=["k_proj", "embed_tokens"], rank_pattern={"embed_tokens": 3}, **tying)),
    "tied-embedding-patterns-both": ("tied", dict(target_modules=["k_proj", "embed_tokens"], rank_pattern={"embed_tokens": 3, "lm_head": 3}, **tying)),
    "tied-head": ("tied", dict(target_modules=["k_proj", "lm_head"])),
    "tied-head-tying": ("tied", dict(target_modules=["k_proj", "lm_head"], **tying)),
    "tied-tokens": ("tied", dict(target_modules=["k_proj"], trainable_token_indices=[2, 5])),
    "tied-tokens-head": ("tied", dict(target_modules=["k_proj"], trainable_token_indices={"lm_head": [2, 5]})),
}


def model(name):
    return AutoModelForCausalLM.from_pretrained(here / "models" / name, attn_implementation="eager").eval()


def trained(parameters, seed):
    """Fills what is trained with random values, near what saved modules begin with."""
    generator, seen = torch.Generator().manual_seed(seed), set()
    for name, p in parameters:
        if p.requires_grad and p.data_ptr() not in seen:
            seen.add(p.data_ptr())
            kept = p if "lora_" not in name or "magnitude" in name else 0
            p.copy_(torch.randn(p.shape, generator=generator) * 0.2 + kept)


def acts(m):
    """What every module with weights does, as the weights of one that does the same."""
    tensors = {}
    for name, module in m.named_modules():
        if isinstance(module, torch.nn.Embedding):
            tensors[name + ".weight"] = torch.arange(module.num_embeddings), module
        elif isinstance(module, torch.nn.Linear):
            tensors[name + ".weight"] = torch.eye(module.in_features), module
        elif isinstance(module, Conv1D):
            tensors[name + ".weight"] = torch.eye(module.nx), module
        elif getattr(module, "weight", None) is not None:
            tensors[name + ".weight"] = None, module
    return {name: (units, getattr(module, "bias", None) is not None, type(module)) for name, (units, module) in tensors.items()}


def weights(adapted, plan):
    tensors = {}
    for name, (units, biased, kind) in plan.items():
        module = adapted.get_submodule(name.removesuffix(".weight"))
        if units is None:
            tensors[name] = module.weight
            if biased:
                tensors[name.removesuffix("weight") + "bias"] = module.bias
            continue
        if kind is torch.nn.Embedding:
            tensors[name] = module(units)
            continue
        zero = module(torch.zeros_like(units[:1]))
        w = module(units) - zero
        tensors[name] = w if kind is Conv1D else w.T
        if biased:
            tensors[name.removesuffix("weight") + "bias"] = zero[0]
    return {name: t.detach().clone().contiguous() for name, t in tensors.items()}


def main():
    torch.manual_seed(17)
    for folder in ("models", "cases"):
        shutil.rmtree(here / folder, ignore_errors=True)
    for name, config in models.items():
        m = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for p in m.parameters():
                p.add_(torch.randn_like(p) * 0.2)
        m.save_pretrained(here / "models" / name)
        (here / "models" / name / "generation_config.json").unlink()
    golden, goldens = {}, {}
    for seed, (name, (base, config)) in enumerate(cases.items()):
        m = model(base)
        plan = acts(m)
        before = weights(m, plan)
        adapted = get_peft_model(m, LoraConfig(**{"r": 2, "lora_alpha": 4, "task_type": "CAUSAL_LM", **copy.deepcopy(config)})).eval()
        with torch.no_grad():
            trained(adapted.named_parameters(), seed)
        folder = here / "cases" / name
        adapted.save_pretrained(folder)
        (folder / "README.md").unlink()
        written = json.loads((folder / "adapter_config.json").read_text())
        written["base_model_name_or_path"] = base
        for key, value in written.items():
            if isinstance(value, list) and value and isinstance(value[0], str):
                written[key] = sorted(value)  # PEFT keeps sets, in no order
        (folder / "adapter_config.json").write_text(json.dumps(written, sort_keys=True, separators=(",", ":")) + "\n")
        again = weights(PeftModel.from_pretrained(model(base), folder).eval().get_base_model(), plan)
        changed = {t: w for t, w in again.items() if (w - before[t]).abs().max() > 1e-5}
        golden[name] = {"base": base, "changed": sorted(changed)}
        goldens.update({f"{name}/{t}": w for t, w in changed.items()})
    (here / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    save_file(goldens, here / "golden.safetensors")


if __name__ == "__main__":
    main()
