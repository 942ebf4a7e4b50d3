"""Losses, gradients and optimiser steps of a tiny Llama, as PyTorch's autograd computes them in float64 from the float32 weights.

usage: gradients.py OUT   (torch 2.15, transformers 5.23, peft 0.21; CPU)

OUT/config.json, model.safetensors  the model; OUT/teacher: the teacher of the KL case (bfloat16)
OUT/case.json                       what was computed: "about" says what each part holds
OUT/gradients.safetensors           of the answer-only loss, every parameter
OUT/after.safetensors               the weights after the steps of "optimiser", but for the matrices of layer 1
OUT/lora.safetensors                factors A and B under PEFT's names; OUT/lora_gradients.safetensors: theirs, the base frozen
OUT/kl_gradients.safetensors        of the loss of "kl", but for the matrices of layer 1, whose norms are in case.json

transformers and peft must agree in float32 on logits and gradients, else this stops: then one of the two models is wrong.
"""
import json, math, pathlib, sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from llama import TARGETS, logits, shapes

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
    "vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
    "tie_word_embeddings": True, "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": 1,
}
LENGTHS, PROMPTS, UNLABELLED = (5, 9, 12), (2, 4, 5), (7, 10)
STEPS, WARM, RATE, BETAS, EPS, DECAY, CLIP = 5, 2, 0.02, (0.9, 0.95), 1e-8, 0.1, 1.0
RANK, ALPHA, WEIGHT = 2, 4, 0.5
ABOUT = {
    "sequences": "each is its own context; the tokens from index `prompt` on are the answer, token i predicted by the logits at i-1",
    "loss": "mean cross-entropy in nats over the `tokens` answer tokens of all sequences together; norms: Euclidean, of each gradient",
    "optimiser": "AdamW, the same batch every step. rates[s] = peak * min(1, (s+1)/warm) * (0.1 + 0.9*0.5*(1 + cos(pi*s/steps))); "
                 "decay (weight -= rate*decay*weight) on matrices, not on norms and embedding; losses[s] before step s, loss_after after the last; "
                 "gradient_norms[s] over all parameters before clipping, by which the gradients are multiplied by min(1, clip/(norm+1e-6)) as torch does",
    "lora": "y = W x + alpha/rank * B A x on `targets` of all layers",
    "kl": "loss = cross_entropy + weight * divergence, the mean over all positions of all `sequences` here of KL(teacher || model) in nats",
}


def weights(seed):
    g = torch.Generator().manual_seed(seed)
    # gains that are not 1, scores that are not flat: else wrong gradients of norm and attention could hide
    return {k: 1 + 0.3 * torch.randn(s, generator=g) if len(s) == 1 else (0.3 if "embed" in k else 0.25) * torch.randn(s, generator=g)
            for k, s in shapes(CONFIG).items()}


def factors(seed):
    g = torch.Generator().manual_seed(seed)
    return {k: (0.3 * torch.randn(RANK, s[1], generator=g), 0.3 * torch.randn(s[0], RANK, generator=g))
            for k, s in shapes(CONFIG).items() if k.endswith("_proj.weight")}


def sequences():
    g = torch.Generator().manual_seed(12)
    draw = lambda n: torch.randint(2, CONFIG["vocab_size"], (n,), generator=g).tolist()
    return [{"ids": draw(n), "prompt": p} for n, p in zip(LENGTHS, PROMPTS)], [draw(n) for n in UNLABELLED]


def double(w):
    return {k: v.double().requires_grad_() for k, v in w.items()}


def answers(batch, forward):
    """the answer-only loss of a forward function of ids [1, n]"""
    nll = [F.cross_entropy(forward(torch.tensor([s["ids"]]))[0, s["prompt"] - 1:-1], torch.tensor(s["ids"][s["prompt"]:]), reduction="none") for s in batch]
    return torch.cat(nll).mean()


def divergence(batch, forward, teacher):
    out = []
    for ids in batch:
        p, q = (f(torch.tensor([ids]))[0].log_softmax(-1) for f in (teacher, forward))
        out.append((p.exp() * (p - q)).sum(-1))
    return torch.cat(out).mean()


def gradients(loss, params):
    return dict(zip(params, torch.autograd.grad(loss, list(params.values()))))


def optimise(w, batch):
    """after the steps: the weights, and what was seen on the way"""
    p = double(w)
    decayed = [v for k, v in p.items() if k.endswith("_proj.weight")]
    others = [v for k, v in p.items() if not k.endswith("_proj.weight")]
    opt = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], betas=BETAS, eps=EPS)
    forward, seen = lambda ids: logits(p, CONFIG, ids), {"rates": [], "losses": [], "gradient_norms": []}
    for s in range(STEPS):
        rate = RATE * min(1, (s + 1) / WARM) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * s / STEPS)))
        for group in opt.param_groups:
            group["lr"] = rate
        opt.zero_grad()
        loss = answers(batch, forward)
        loss.backward()
        n = torch.nn.utils.clip_grad_norm_(list(p.values()), CLIP)
        opt.step()
        for k, v in zip(seen, (rate, loss.item(), n.item())):
            seen[k].append(v)
    with torch.no_grad():
        seen["loss_after"] = answers(batch, forward).item()
    return {k: v.detach() for k, v in p.items()}, seen


def peft_name(name, factor):
    return f"base_model.model.{name.removesuffix('.weight')}.lora_{factor}.weight"


def check(what, got, want):
    """that float32 agrees with float64 on tensors by name, against the largest of each"""
    worst = max(((got[k].double() - v).abs().max() / v.abs().max()).item() for k, v in want.items())
    print(f"{what}: largest relative difference {worst:.1e}")
    if not worst < 2e-5:
        sys.exit(f"gradients.py: {what} differ by {worst:.1e} of the largest: llama.py or this script is wrong")


def compare(out, batch, unlabelled, dense, low, both):
    """transformers and peft on what was written, against the gradients in float64"""
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM
    load = lambda folder=out: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    m = load()
    answers(batch, lambda ids: m(ids).logits).backward()
    check("transformers' gradients", {k: v.grad for k, v in m.named_parameters()}, dense)
    m, t = load(), load(out / "teacher").requires_grad_(False)
    (answers(batch, lambda ids: m(ids).logits) + WEIGHT * divergence(unlabelled, lambda ids: m(ids).logits, lambda ids: t(ids).logits)).backward()
    check("transformers' gradients with the teacher", {k: v.grad for k, v in m.named_parameters()}, both)
    names = [t.split(".")[1] for t in TARGETS]
    m = get_peft_model(load(), LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=names, task_type="CAUSAL_LM"))
    given, params = load_file(out / "lora.safetensors"), {k.replace(".default", ""): v for k, v in m.named_parameters() if v.requires_grad}
    assert given.keys() == params.keys()
    with torch.no_grad():
        for k, v in params.items():
            v.copy_(given[k])
    answers(batch, lambda ids: m(ids).logits).backward()
    check("peft's gradients", {k: v.grad for k, v in params.items()}, low)


def main():
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1])
    (out / "teacher").mkdir(parents=True, exist_ok=True)
    w, teacher, lora = weights(1), {k: v.bfloat16() for k, v in weights(2).items()}, factors(3)
    batch, unlabelled = sequences()

    p = double(w)
    forward = lambda ids: logits(p, CONFIG, ids)
    loss = answers(batch, forward)
    dense = gradients(loss, p)

    after, seen = optimise(w, batch)

    f = {peft_name(k, s): v.double().requires_grad_() for k, ab in lora.items() for s, v in zip("AB", ab)}
    adapted = {k: (f[peft_name(k, "A")], f[peft_name(k, "B")]) for k in lora}
    lora_loss = answers(batch, lambda ids: logits(p, CONFIG, ids, lora=adapted, scale=ALPHA / RANK))
    low = gradients(lora_loss, f)

    t = {k: v.double() for k, v in teacher.items()}
    ce, kl = answers(batch, forward), divergence(unlabelled, forward, lambda ids: logits(t, CONFIG, ids))
    both = gradients(ce + WEIGHT * kl, p)

    norms = lambda grads: {k: v.norm().item() for k, v in grads.items()}
    kept = lambda tensors: {k: v for k, v in tensors.items() if not (k.startswith("model.layers.1.") and v.ndim == 2)}  # for the size of the folder
    save = lambda name, tensors: save_file({k: v.detach().float().contiguous() for k, v in tensors.items()}, out / name)
    for name, tensors in (("model", w), ("gradients", dense), ("after", kept(after)), ("lora", f), ("lora_gradients", low), ("kl_gradients", kept(both))):
        save(name + ".safetensors", tensors)
    save_file(teacher, out / "teacher" / "model.safetensors")
    for folder, dtype in ((out, "float32"), (out / "teacher", "bfloat16")):
        (folder / "config.json").write_text(json.dumps({**CONFIG, "torch_dtype": dtype}, indent=1, sort_keys=True) + "\n")
    (out / "case.json").write_text(json.dumps({
        "about": ABOUT, "sequences": batch, "tokens": sum(len(s["ids"]) - s["prompt"] for s in batch),
        "loss": loss.item(), "gradient_norm": math.hypot(*norms(dense).values()), "norms": norms(dense),
        "optimiser": {"steps": STEPS, "warm": WARM, "peak": RATE, "betas": BETAS, "epsilon": EPS, "decay": DECAY, "clip": CLIP, **seen,
                      "change_norms": {k: (v - w[k].double()).norm().item() for k, v in after.items()}},
        "lora": {"rank": RANK, "alpha": ALPHA, "targets": [t.split(".")[1] for t in TARGETS],
                 "loss": lora_loss.item(), "gradient_norm": math.hypot(*norms(low).values())},
        "kl": {"sequences": unlabelled, "weight": WEIGHT, "cross_entropy": ce.item(), "divergence": kl.item(), "loss": (ce + WEIGHT * kl).item(),
               "gradient_norm": math.hypot(*norms(both).values()), "norms": norms(both)},
    }, indent=1) + "\n")
    compare(out, batch, unlabelled, dense, low, both)


if __name__ == "__main__":
    main()
