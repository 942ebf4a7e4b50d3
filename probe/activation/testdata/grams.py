"""Gram matrices and activation-weighted energies of testdata/pico, by PyTorch in float64.

usage: PYTHONDONTWRITEBYTECODE=1 grams.py > grams.json   (torch 2.15; CPU)

The way forward is that of probe/train/testdata/llama.py, whose linear layers are watched here. Inputs of every matrix are kept as they are;
energies are the mean over tokens of |W x|^2, from outputs, with no Gram matrix in between. "general" are prompts on base, "domain" others on
chem. Of each Gram matrix: trace, sum, root of the sum of squares, and the elements [0][0], [1][0], [n/2][n/3] and [n-1][n-1].
"""
import json, pathlib, sys
import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "probe/train/testdata"))
import llama  # noqa: E402

torch.set_num_threads(1)
PICO = ROOT / "testdata/pico"
config = json.loads((PICO / "base/config.json").read_text())
base, chem = ({k: v.double() for k, v in load_file(PICO / name / "model.safetensors").items()} for name in ("base", "chem"))
linear = llama.F.linear


def draw(state, *lengths):
    prompts = []
    for n in lengths:
        prompts.append([])
        for _ in range(n):
            state = (1103515245 * state + 12345) % 2**31
            prompts[-1].append((state >> 16) % config["vocab_size"])
    return prompts


def inputs(w, prompts):
    """name -> [tokens, width]"""
    names, seen = {id(v): k for k, v in w.items()}, {}

    def watched(x, weight):
        seen.setdefault(names.get(id(weight)), []).append(x.reshape(-1, x.shape[-1]))
        return linear(x, weight)

    llama.F.linear = watched
    for p in prompts:
        llama.logits(w, config, torch.tensor([p]))
    return {k: torch.cat(v) for k, v in seen.items() if k and ".layers." in k}


def summary(x):
    g = x.T @ x / len(x)
    n = len(g)
    return {"trace": g.trace().item(), "sum": g.sum().item(), "length": g.norm().item(), "at": [g[i, j].item() for i, j in ((0, 0), (1, 0), (n // 2, n // 3), (n - 1, n - 1))]}


def energies(x, name):
    return [linear(x, w).pow(2).sum(-1).mean().item() for w in (base[name], chem[name] - base[name])]


general = draw(1, 7, 1, 19)
general.append(general[0][:4] + general[2][:2])
domain = draw(2, 11, 5)
x0, x1 = inputs(base, general), inputs(chem, domain)
print(json.dumps({"general": general, "domain": domain, "tensors": {
    k: {"general": summary(x0[k]), "domain": summary(x1[k]), "onGeneral": energies(x0[k], k), "onDomain": energies(x1[k], k)} for k in sorted(x0)}}, separators=(",", ":")))
