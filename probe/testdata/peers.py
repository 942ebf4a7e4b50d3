"""The peers' side of `make bench`: what transformers and numpy do with the work that surgeon is timed on.

usage: peers.py prefill|generate|gemm|sweep MODEL [CHEM TASK.jsonl ITEMS]   (torch, transformers, numpy)

Prints one JSON object of rates; the best of its thread and batch settings counts.
"""
import json, random, sys, tempfile, time
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast


def prompts(n, length):
    r = random.Random(1)
    return torch.tensor([[r.randrange(1000, 40000) for _ in range(length)] for _ in range(n)])


def load(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


@torch.no_grad()
def prefill(path):
    m, x, best = load(path), prompts(32, 128), {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for batch in (8, 32):
            for _ in range(2):
                s = time.time()
                for i in range(0, 32, batch):
                    m(x[i:i + batch], logits_to_keep=1)
                best[threads] = max(best.get(threads, 0), x.numel() / (time.time() - s))
    return {"tokens_per_second": max(best.values()), "by_threads": best}


@torch.no_grad()
def generate(path):
    m, x, best = load(path), prompts(32, 32), {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        s = time.time()
        o = m.generate(x, attention_mask=torch.ones_like(x), max_new_tokens=64, min_new_tokens=64, do_sample=False, pad_token_id=0)
        best[threads] = (o.numel() - x.numel()) / (time.time() - s)
    return {"tokens_per_second": max(best.values()), "by_threads": best}


def gemm(_):
    out = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for rows in (256, 1024):
            a, b = torch.randn(rows, 4096), torch.randn(4096, 4096)
            best = 1e9
            for _ in range(8):
                s = time.time(); torch.nn.functional.linear(a, b); best = min(best, time.time() - s)
            out[f"{rows} rows, {threads} threads"] = 2 * rows * 4096 * 4096 / best / 1e9
    return {"gflops": out}


@torch.no_grad()
def sweep(path, chem, task, items):
    """One alpha: merge in memory, write, load, score; the scorer feeds each choice in a batch of its item."""
    torch.set_num_threads(2)
    tok = PreTrainedTokenizerFast.from_pretrained(path)
    lines = [json.loads(l) for l in open(task, encoding="utf-8")][:int(items)]
    base, tuned = (AutoModelForCausalLM.from_pretrained(p, dtype=torch.bfloat16) for p in (path, chem))
    s = time.time()
    a, b = base.state_dict(), tuned.state_dict()
    for k in a:
        a[k].copy_((a[k].float() + 0.5 * (b[k].float() - a[k].float())).to(a[k].dtype))
    with tempfile.TemporaryDirectory() as d:
        base.save_pretrained(d)
        m = load(d)
    right = 0
    for it in lines:
        p = tok(it["prompt"]).input_ids
        full = [tok(it["prompt"] + c).input_ids for c in it["choices"]]
        n = max(map(len, full))
        x = torch.tensor([f + [0] * (n - len(f)) for f in full])
        lp = torch.log_softmax(m(x, attention_mask=torch.tensor([[1] * len(f) + [0] * (n - len(f)) for f in full])).logits, -1)
        scores = [sum(lp[k, i - 1, f[i]].item() for i in range(len(p), len(f))) for k, f in enumerate(full)]
        right += max(range(len(scores)), key=scores.__getitem__) == it["gold"]
    return {"seconds": time.time() - s, "right": right}


if __name__ == "__main__":
    print(json.dumps({"prefill": prefill, "generate": generate, "gemm": gemm, "sweep": sweep}[sys.argv[1]](*sys.argv[2:])))
