"""How long PyTorch takes for a training step of a Llama config on this machine: the peer's side of the training benchmark.

usage: torchtrain.py CONFIG_JSON [--threads 2] [--steps 30] [--no-compile] [--race]   (torch; float32; a C++ compiler for torch.compile)

A step is 8 sequences of 96 tokens, cross-entropy over half of the positions, gradients, clipping at norm 1 and AdamW (fused).
Each way is timed after 3 steps that do not count: 1 to --threads threads, attention explicit and F.scaled_dot_product_attention, eager
and, where it compiles within a minute, torch.compile of the forward and backward pass. Prints one JSON object: of the way with
the smallest median its seconds a step, tokens a second, the same of the best eager way, the smallest step of any, and all ways.

On a machine that others use too the medians are theirs as well. With --race it goes on: for every line of the standard input, a number,
it makes so many steps in the best way, and so many in the best eager one, and prints the seconds of each as {"best": [...], "eager": [...]}.
"""
import argparse, json, os, signal, statistics, sys, time

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # in this process, where an alarm stops it
import torch
import torch.nn.functional as F
from llama import angles, logits, shapes

BATCH, LENGTH = 8, 96


def give_up(*_):
    raise TimeoutError("not compiled within a minute")


def prepare(c, threads, way, compiled):
    """a function that makes a step and returns its seconds; three that do not count were made"""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    w = {k: torch.nn.Parameter(torch.ones(s) if len(s) == 1 else 0.05 * torch.randn(s)) for k, s in shapes(c).items()}
    ids = torch.randint(c["vocab_size"], (BATCH, LENGTH + 1))
    x, y = ids[:, :-1], ids[:, 1:].clone()
    y[:, ::2] = -100  # no loss there
    rope = angles(c, LENGTH, torch.float32)

    def loss(w, x, y):
        return F.cross_entropy(logits(w, c, x, way, rope).flatten(0, 1), y.flatten())

    if compiled:
        torch._dynamo.reset()
        loss = torch.compile(loss)
    params = list(w.values())
    opt = torch.optim.AdamW(params, lr=1e-4, betas=(0.9, 0.95), fused=True)

    def step():
        start = time.perf_counter()
        opt.zero_grad()
        loss(w, x, y).backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        return time.perf_counter() - start

    for _ in range(3):
        step()
    signal.alarm(0)
    return step


def race(c, ways):
    """answers every line of the standard input"""
    keys = ("threads", "attention", "compiled")
    steps = {name: prepare(c, *(way[k] for k in keys)) for name, way in ways.items()}
    for line in sys.stdin:
        took = {}
        for name, step in steps.items():
            torch.set_num_threads(ways[name]["threads"])
            took[name] = [step() for _ in range(int(line))]
        print(json.dumps(took), flush=True)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("config")
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--steps", type=int, default=30)
    a.add_argument("--no-compile", action="store_true")
    a.add_argument("--race", action="store_true")
    a = a.parse_args()
    with open(a.config) as f:
        c = json.load(f)
    signal.signal(signal.SIGALRM, give_up)
    ways = []
    for compiled in (False,) if a.no_compile else (False, True):
        for threads in range(1, a.threads + 1):
            for way in ("explicit", "sdpa"):
                one = {"threads": threads, "attention": way, "compiled": compiled}
                try:
                    signal.alarm(60 if compiled else 0)
                    step = prepare(c, threads, way, compiled)
                    took = [step() for _ in range(a.steps)]
                    one |= {"step_seconds": statistics.median(took), "smallest_seconds": min(took)}
                except Exception as e:
                    if not compiled:
                        raise
                    one["failed"] = f"{type(e).__name__}: {e}".splitlines()[0]
                finally:
                    signal.alarm(0)
                ways.append(one)
    done = [one for one in ways if "failed" not in one]
    pick = lambda of: min(of, key=lambda one: one["step_seconds"])
    best, eager = pick(done), pick([one for one in done if not one["compiled"]])
    print(json.dumps({"step_seconds": best["step_seconds"], "tokens_per_second": BATCH * LENGTH / best["step_seconds"], "best": best,
                      "smallest_seconds": min(one["smallest_seconds"] for one in done),
                      "eager_tokens_per_second": BATCH * LENGTH / eager["step_seconds"], "best_eager": eager, "ways": ways}), flush=True)
    if a.race:
        race(c, {"eager": eager, "best": best})  # the compiled one last: compiling another forgets it


if __name__ == "__main__":
    main()
