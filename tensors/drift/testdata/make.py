"""Makes stored.json and spectra.json: figures of small pairs, by numpy in float64.

stored.json: 67 values in each stored type, encoded by torch, and the drift of
every base type to every tuned type, summed without rounding by math.fsum.

spectra.json: the full SVDs of the matrices of a two-layer model whose change is
planted. Every value is an integer below 2^24, made by the recurrence that
spectra_test.go has too, so both sides hold the same numbers.

    python3 make.py     (numpy, torch)
"""

import base64
import json
import math

import numpy as np
import torch

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
N = 67  # eight vectors of eight and a piece


def encode(values, kind):
    """The stored bytes, and the values that they stand for."""
    stored = torch.from_numpy(values).to(TYPES[kind])
    raw = stored.view(torch.uint8).numpy().tobytes()
    return base64.b64encode(raw).decode(), stored.to(torch.float64).numpy()


def figures(base, tuned):
    d = tuned - base
    b2, t2, d2 = (math.fsum(float(v) ** 2 for v in x) for x in (base, tuned, d))
    cosine = math.fsum(float(x * y) for x, y in zip(base, tuned)) / math.sqrt(b2 * t2)
    return {
        "base_norm": math.sqrt(b2),
        "delta_norm": math.sqrt(d2),
        "rel": math.sqrt(d2 / b2),
        "cosine": cosine,
        "norm_ratio": math.sqrt(t2 / b2),
        "max_abs": float(np.abs(d).max()),
        "changed": int((base != tuned).sum()),
        "flipped": int((base * tuned < 0).sum()),
    }


def stored():
    draw = np.random.default_rng(5)
    base = draw.normal(size=N)
    tuned = base * (1 + 0.2 * draw.normal(size=N))
    tuned[::5] = base[::5]
    tuned[3::11] *= -1
    base[7], tuned[8], base[9], tuned[9] = 0, 0, 0, -0.0
    values = {"base": {}, "tuned": {}}
    raw = {"base": {}, "tuned": {}}
    for side, v in (("base", base), ("tuned", tuned)):
        for kind in TYPES:
            raw[side][kind], values[side][kind] = encode(v, kind)
    pairs = [
        {"base": b, "tuned": t} | figures(values["base"][b], values["tuned"][t])
        for b in TYPES
        for t in TYPES
    ]
    return raw | {"pairs": pairs}


def draw(state, n):
    """n integers from -8 to 8, and the state after them."""
    out = np.empty(n)
    for i in range(n):
        state = (1103515245 * state + 12345) % 2**31
        out[i] = (state >> 16) % 17 - 8
    return out, state


def planted(state, rows, columns, weights):
    """A sum of outer products of drawn vectors."""
    a = np.zeros((rows, columns))
    for w in weights:
        p, state = draw(state, rows)
        q, state = draw(state, columns)
        a += w * np.outer(p, q)
    return a, state


def noise(state, rows, columns):
    a, state = draw(state, rows * columns)
    return a.reshape(rows, columns), state


HEADS = [2.0 ** (14 - t) for t in range(12)]
K, LEADING = 8, 10


def spectrum(name, base, change):
    u, s, _ = np.linalg.svd(base, full_matrices=False)
    w, _, _ = np.linalg.svd(base + change, full_matrices=False)
    d = np.linalg.svd(change, compute_uv=False)
    p = d[:K] / d[:K].sum()
    p = p[p > 1e-12]
    norm2 = float((change**2).sum())
    cosines = np.abs(u.T @ w[:, :LEADING]).max(axis=0)
    return {
        "name": name,
        "spectral_ratio": d[0] / s[0],
        "stable_rank": norm2 / d[0] ** 2,
        "effective_rank": float(np.exp(-(p * np.log(p)).sum())),
        "energies": [float((d[:r] ** 2).sum() / norm2) for r in (1, 4, 8)],
        "residual": float(np.sqrt((d[K:] ** 2).sum() / norm2)),
        "intruders": int((cosines < 0.5).sum()),
        "overlap": float((np.abs(u[:, :LEADING].T @ w[:, :LEADING]) ** 2).sum() / LEADING),
    }


def spectra():
    cases = []
    for layer in range(2):
        for part, rows, columns in (("q", 72, 72), ("k", 72, 72), ("o", 72, 72), ("up", 120, 72)):
            state = 100 * layer + {"q": 1, "k": 2, "o": 3, "up": 4}[part]
            base, state = planted(state, rows, columns, HEADS)
            more, state = noise(state, rows, columns)
            base += more
            if part == "q":  # four directions, weaker each
                change, state = planted(state, rows, columns, [8.0, 4.0, 2.0, 1.0])
            elif part == "up":  # in all directions
                change, state = noise(state, rows, columns)
            elif part == "o":  # one that is stronger than most of the base's
                change, state = planted(state, rows, columns, [1500.0])
            else:
                continue
            names = {"q": "self_attn.q_proj", "o": "self_attn.o_proj", "up": "mlp.up_proj"}
            cases.append(spectrum(f"model.layers.{layer}.{names[part]}.weight", base, change))
    return cases


for name, content in (("stored", stored()), ("spectra", spectra())):
    with open(name + ".json", "w") as f:
        json.dump(content, f, indent=1)
        f.write("\n")
