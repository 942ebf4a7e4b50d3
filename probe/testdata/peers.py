"""The peers' side of `make bench`: what transformers and OpenBLAS do with the work that surgeon is timed on.

usage: peers.py prefill|generate MODEL | gemm THREADS ROWS | sweep MODEL CHEM TASK.jsonl   (torch, transformers, numpy)
       peers.py harness MODEL TASK_FOLDER NLTK_DATA TASKS SHOTS LIMIT BATCH                  (lm_eval besides)

Prints one JSON object of rates: of prefill and generate the best of their tries, with one thread and two.
"""
import contextlib, json, os, random, sys, tempfile, time


def prompts(n, length):
    r = random.Random(1)
    return torch.tensor([[r.randrange(1000, 40000) for _ in range(length)] for _ in range(n)])


def load(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


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


def generate(path):
    m, x, best = load(path), prompts(32, 32), {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for _ in range(2):
            s = time.time()
            o = m.generate(x, attention_mask=torch.ones_like(x), max_new_tokens=64, min_new_tokens=64, do_sample=False, pad_token_id=0)
            best[threads] = max(best.get(threads, 0), (o.numel() - x.numel()) / (time.time() - s))
    return {"tokens_per_second": max(best.values()), "by_threads": best}


def gemm(threads, rows):
    """x [rows, 4096] times the transpose of a weight [4096, 4096] in float32, by numpy's OpenBLAS."""
    os.environ["OPENBLAS_NUM_THREADS"] = threads
    if "avx512f" in open("/proc/cpuinfo").read():
        os.environ["OPENBLAS_CORETYPE"] = "SkylakeX"  # its best: newer kinds are slower
    import numpy as np
    r = np.random.default_rng(1)
    a, w, best = r.standard_normal((int(rows), 4096), np.float32), r.standard_normal((4096, 4096), np.float32), 1e9
    for _ in range(8):
        s = time.time(); a @ w.T; best = min(best, time.time() - s)
    return {"gflops": 2 * int(rows) * 4096 * 4096 / best / 1e9}


def sweep(path, chem, task):
    """One alpha: merge in memory, write, load, score. Sequences go by length in batches of 16, as in lm-evaluation-harness."""
    torch.set_num_threads(2)
    tok = PreTrainedTokenizerFast.from_pretrained(path)
    lines = [json.loads(l) for l in open(task, encoding="utf-8")]
    base, tuned = (AutoModelForCausalLM.from_pretrained(p, dtype=torch.bfloat16) for p in (path, chem))
    s = time.time()
    a, b = base.state_dict(), tuned.state_dict()
    for k in a:
        a[k].copy_((a[k].float() + 0.5 * (b[k].float() - a[k].float())).to(a[k].dtype))
    with tempfile.TemporaryDirectory() as d:
        base.save_pretrained(d)
        m = load(d)
    asked = []
    for n, it in enumerate(lines):
        p = len(tok(it["prompt"]).input_ids)
        asked += [(n, k, p, tok(it["prompt"] + c).input_ids) for k, c in enumerate(it["choices"])]
    asked.sort(key=lambda q: -len(q[3]))
    scores = [[0.0] * len(it["choices"]) for it in lines]
    for at in range(0, len(asked), 16):
        some = asked[at:at + 16]
        n = len(some[0][3])
        x = torch.tensor([q[3] + [0] * (n - len(q[3])) for q in some])
        logits = m(x, attention_mask=torch.tensor([[1] * len(q[3]) + [0] * (n - len(q[3])) for q in some])).logits
        for row, (item, k, p, ids) in zip(logits, some):
            lp = torch.log_softmax(row[p - 1:len(ids) - 1], -1)
            scores[item][k] = sum(lp[i - p, ids[i]].item() for i in range(p, len(ids)))
    right = sum(max(range(len(v)), key=v.__getitem__) == it["gold"] for v, it in zip(scores, lines))
    return {"an_hour": 3600 / (time.time() - s), "right": right}


def harness(path, folder, nltk, tasks, shots, limit, batch):
    """lm-evaluation-harness' own run of tasks: the seconds that it takes beside loading, and what it measured."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    os.environ["NLTK_DATA"] = nltk
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager
    torch.set_num_threads(2)
    tok = PreTrainedTokenizerFast.from_pretrained(path)
    m = HFLM(pretrained=load(path), tokenizer=tok, batch_size=int(batch), device="cpu", dtype="float32")
    manager = TaskManager(include_path=folder)
    s = time.time()
    with contextlib.redirect_stdout(sys.stderr):
        out = simple_evaluate(m, tasks=tasks.split(","), task_manager=manager, num_fewshot=int(shots), limit=int(limit), bootstrap_iters=0)
    return {"seconds": time.time() - s, "results": {k: {n: v for n, v in r.items() if "," in n} for k, r in out["results"].items()}}


if __name__ == "__main__":
    if sys.argv[1] != "gemm":
        import torch
        from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
        torch.set_grad_enabled(False)
    print(json.dumps({"prefill": prefill, "generate": generate, "gemm": gemm, "sweep": sweep, "harness": harness}[sys.argv[1]](*sys.argv[2:])))
