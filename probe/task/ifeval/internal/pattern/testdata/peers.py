"""Write re.jsonl: what Python's re makes of random expressions and texts.

usage: peers.py > re.jsonl     (Python 3.11)

A line: [expression, flags, text, spans]. Flags: 1 ignore case, 2 multiline, 4 dot matches all. Spans: a
list for each match that re.finditer finds, the ends of group 0, 1, ...; null where re.compile raises.
"""
import json
import random
import re
import signal
import warnings

warnings.simplefilter("ignore")
draw = random.Random(20)
ATOMS = [
    "a", "b", "c", "A", "B", ".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "[ab]", "[^a]", "[a-c]", r"[^\W\d]", "[A-Z]",
    r"\b", r"\B", "^", "$", r"\A", r"\Z", " ", r"\.", r"\*", "-", "é", "É", "s", "k", "ſ", "K", "ß", "i", "İ", "ı", "I", "1",
    "_", "x", r"\n", r"[\s\d]", "σ", r"\x41", r"\101", "[]a]", "[-a]", "[a-]", r"[\b]",
]
FAULTS = ["{", "}", "{,", "(?#x)", "(", "[", r"\q", "(?i)", "(?P<n>a)", "(?P=n)", ")", "{2,1}", "+", r"\x4", "[z-a]", "(?<x", "(?z)"]
ALPHABET = "aabbcABC  1._-*\n\tééÉsſkKßiİıIΣσςx\u0301\u200d²½\x1c\x85日\u0939\u093f"


def expression(depth):
    r = draw.random()
    if depth <= 0 or r < 0.35:
        return draw.choice(ATOMS)
    if r < 0.55:
        return expression(depth - 1) + expression(depth - 1)
    if r < 0.65:
        return expression(depth - 1) + "|" + expression(depth - 1)
    if r < 0.72:
        return "(" + expression(depth - 1) + ")"
    if r < 0.77:
        return "(?:" + expression(depth - 1) + ")"
    if r < 0.81:
        opening = draw.choice(["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?s:"])
        return opening + expression(depth - 1) + ")"
    if r < 0.83:
        return "\\" + draw.choice("123")
    if r < 0.85:
        return draw.choice(FAULTS)
    count = draw.choice(["*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}", "{,}"])
    return expression(depth - 1) + count + draw.choice(["", "", "", "?", "+"])


class TooLong(Exception):
    pass


def give_up(*_):
    raise TooLong


signal.signal(signal.SIGALRM, give_up)
written = 0
while written < 3000:
    p = expression(draw.randrange(1, 6))
    flags = draw.choice([0, 0, 1, 2, 3, 4])
    text = "".join(draw.choice(ALPHABET) for _ in range(draw.randrange(14)))
    given = (re.I if flags & 1 else 0) | (re.M if flags & 2 else 0) | (re.S if flags & 4 else 0)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        compiled = re.compile(p, given)
        spans = [[m.span(g) for g in range(compiled.groups + 1)] for m in compiled.finditer(text)]
    except re.error:
        spans = None
    except TooLong:
        continue
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps([p, flags, text, spans], ensure_ascii=False, separators=(",", ":")))
    written += 1
