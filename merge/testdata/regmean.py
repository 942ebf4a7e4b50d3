"""Writes regmean.json: regression means by numpy in float64, each in two ways.

    python3 regmean.py > regmean.json

The inputs are small multiples of 1/64 from a linear congruence, so that they are
written exactly. "normal" is the paper's formula (arXiv 2212.09849, equation 2) of
Gram matrices divided by their traces and shrunk, with the ridge on both diagonals.
"stacked", of cases without a shrink, is the least-squares solution of all inputs and
what both models make of them, one below the other, which no Gram matrix takes part
in. "inverse" has the ridge in the inverse alone.
"""
import json
import numpy as np


def draw(seed, *shape):
    values, state = [], seed
    for _ in range(int(np.prod(shape))):
        state = (1103515245 * state + 12345) % 2**31
        values.append(((state >> 16) % 129 - 64) / 64)
    return np.array(values).reshape(shape)


def case(seed, out, width, rows0, rows1, w, shrink, ridge):
    w0, change = draw(seed, out, width), draw(seed + 1, out, width) / 16
    x0, x1 = draw(seed + 2, rows0, width) + 0.25, draw(seed + 3, rows1, width) * np.linspace(0.25, 1, width)
    x1 = np.round(x1 * 64) / 64
    w1 = w0 + change

    def prepared(x, ridge):
        g = x.T @ x / len(x)
        g /= np.trace(g)
        return shrink * g + (1 - shrink) * np.diag(np.diag(g)) + ridge / width * np.eye(width)

    g0, g1 = prepared(x0, ridge), prepared(x1, ridge)
    normal = np.linalg.solve((1 - w) * g0 + w * g1, (1 - w) * g0 @ w0.T + w * g1 @ w1.T).T
    h0, h1 = prepared(x0, 0), prepared(x1, 0)
    inverse = np.linalg.solve((1 - w) * h0 + w * h1 + ridge / width * np.eye(width), (1 - w) * h0 @ w0.T + w * h1 @ w1.T).T
    result = {"w": w, "shrink": shrink, "ridge": ridge, "rows": out, "width": width, "base": w0.ravel().tolist(), "tuned": w1.ravel().tolist(),
              "general": x0.ravel().tolist(), "domain": x1.ravel().tolist(), "normal": normal.ravel().tolist(),
              "inverse": inverse.ravel().tolist()}
    if shrink == 1:
        s0, s1 = np.sqrt((1 - w) / np.sum(x0**2)), np.sqrt(w / np.sum(x1**2))
        r0, r1 = np.sqrt((1 - w) * ridge / width) * np.eye(width), np.sqrt(w * ridge / width) * np.eye(width)
        x = np.vstack([s0 * x0, s1 * x1, r0, r1])
        y = np.vstack([s0 * x0 @ w0.T, s1 * x1 @ w1.T, r0 @ w0.T, r1 @ w1.T])
        result["stacked"] = np.linalg.lstsq(x, y, rcond=None)[0].T.ravel().tolist()
    return result


print(json.dumps([
    case(1, 4, 6, 20, 15, 0.5, 0.9, 1e-6),
    case(2, 3, 5, 12, 30, 0.25, 1.0, 1e-6),
    case(3, 5, 8, 5, 4, 0.75, 0.9, 1e-3),
    case(4, 5, 8, 5, 6, 0.6, 1.0, 1e-2),
    case(5, 2, 7, 3, 2, 0.1, 0.3, 1e-9),
], indent=None, separators=(",", ":")))
