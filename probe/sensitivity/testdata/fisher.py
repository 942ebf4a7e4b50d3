"""Diagonal Fisher information and path-integrated gradients of the tiny Llama of probe/train/testdata/llama, by PyTorch's autograd in float64.

usage: fisher.py > fisher.json   (torch 2.15; CPU)

Written anew as loops over examples, with nothing of surgeon: F is the mean over the three sequences of the squared gradient of the sum of
the answer tokens' log-likelihoods; the path goes from the model to that model with every matrix times 1.25 and every norm times 1.1, its
integral is by 64 midpoints, of the loss that is the mean over all answer tokens together. Of each tensor: sum, square root of the sum of
squares, and the elements number 0, n//3, 2n//3 and n-1.
"""
import json, pathlib, sys
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

TRAIN = pathlib.Path(__file__).resolve().parents[2] / "train" / "testdata"
sys.path.insert(0, str(TRAIN))
from llama import logits  # noqa: E402

torch.set_num_threads(1)
config = json.loads((TRAIN / "llama/config.json").read_text())
sequences = json.loads((TRAIN / "llama/case.json").read_text())["sequences"]
base = {k: v.double() for k, v in load_file(TRAIN / "llama/model.safetensors").items()}


def log_likelihood(w, s):
    out = logits(w, config, torch.tensor([s["ids"]]))[0].log_softmax(-1)
    return sum(out[i - 1, s["ids"][i]] for i in range(s["prompt"], len(s["ids"])))


def fisher():
    total = {k: torch.zeros_like(v) for k, v in base.items()}
    for s in sequences:
        w = {k: v.clone().requires_grad_() for k, v in base.items()}
        log_likelihood(w, s).backward()
        for k, v in w.items():
            total[k] += v.grad ** 2 / len(sequences)
    return total


def path(points=64):
    change = {k: v * (0.25 if v.dim() == 2 else 0.1) for k, v in base.items()}
    tokens = sum(len(s["ids"]) - s["prompt"] for s in sequences)
    loss = lambda w: -sum(log_likelihood(w, s) for s in sequences) / tokens
    shares = dict.fromkeys(base, 0.0)
    for q in range(points):
        w = {k: (v + (q + 0.5) / points * change[k]).requires_grad_() for k, v in base.items()}
        loss(w).backward()
        for k, v in w.items():
            shares[k] += (v.grad * change[k]).sum().item() / points
    with torch.no_grad():
        ends = [loss({k: v + a * change[k] for k, v in base.items()}).item() for a in (0, 1)]
    return {"base": ends[0], "tuned": ends[1], "shares": shares}


def summary(v):
    v = v.flatten()
    n = len(v)
    return {"sum": v.sum().item(), "length": (v ** 2).sum().sqrt().item(), "at": [v[i].item() for i in (0, n // 3, 2 * n // 3, n - 1)]}


print(json.dumps({"fisher": {k: summary(v) for k, v in fisher().items()}, "path": path()}, indent=1))
