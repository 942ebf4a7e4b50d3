"""Makes numpy.json: spectra of integer matrices, by numpy's SVD in float64.

The matrices are made by the same recurrence in numpy_test.go, and every value
is an integer below 2^24, so both sides have them exactly.

    python3 make.py > numpy.json
"""

import json

import numpy as np

RANK = 16  # values compared
HEAD = 8  # leading directions compared by overlap and intruders


def draw(state, n):
    """n integers from -8 to 8, and the state after them."""
    out = np.empty(n)
    for i in range(n):
        state = (1103515245 * state + 12345) % 2**31
        out[i] = (state >> 16) % 17 - 8
    return out, state


def matrix(seed, rows, columns):
    """Twelve directions, each half as strong as the one before, and noise."""
    noise, state = draw(seed, rows * columns)
    a = noise.reshape(rows, columns)
    for t in range(12):
        p, state = draw(state, rows)
        q, state = draw(state, columns)
        a = a + 2.0 ** (12 - t) * np.outer(p, q)
    return a


def tune(a, seed):
    """a and three directions that it does not have."""
    rows, columns = a.shape
    state = seed + 1000
    for t in range(3):
        p, state = draw(state, rows)
        q, state = draw(state, columns)
        a = a + 3.0 * 2.0 ** (9 - t) * np.outer(p, q)
    return a


def entropy_rank(s):
    p = s / s.sum()
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


cases = []
for seed, rows, columns in [(1, 300, 120), (2, 90, 260), (3, 1100, 64), (4, 400, 20), (5, 12, 700)]:
    a = matrix(seed, rows, columns)
    b = tune(a, seed)
    u, s, _ = np.linalg.svd(a, full_matrices=False)
    w, _, _ = np.linalg.svd(b, full_matrices=False)
    norm2 = float((a * a).sum())
    k = min(RANK, len(s))
    cosines = np.abs(u[:, :k].T @ w[:, :HEAD]).max(axis=0)
    cases.append(
        {
            "seed": seed,
            "rows": rows,
            "columns": columns,
            "norm2": norm2,
            "s": s[:k].tolist(),
            "residual": float(np.sqrt(max(0.0, (s[k:] ** 2).sum()) / norm2)),
            "stable_rank": float(norm2 / s[0] ** 2),
            "energy4": float((s[:4] ** 2).sum() / norm2),
            "effective_rank": entropy_rank(s[:k]),
            "overlap": float((np.abs(u[:, :HEAD].T @ w[:, :HEAD]) ** 2).sum() / HEAD),
            "intruders_0.5": int((cosines < 0.5).sum()),
            "intruders_0.9": int((cosines < 0.9).sum()),
        }
    )
print(json.dumps(cases, indent=1))
