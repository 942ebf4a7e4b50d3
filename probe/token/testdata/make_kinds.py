"""Writes kinds.json: small tokenizer files of the other kinds, texts, and what
the reference library makes of them, with and without special tokens.

    pip install tokenizers==0.22.2 && python3 make_kinds.py > kinds.json
"""
import json
import random
import struct
import sys

from tokenizers import Tokenizer

MARK = "\u2581"
random.seed(11)


def single(score):
    """A score as files have it: a float32 written with all its digits."""
    return struct.unpack("f", struct.pack("f", score))[0]


BYTES = [f"<0x{b:02X}>" for b in range(256)]
LETTERS = [MARK, "a", "b", "c", "h", "e", "l", "o", "1", ".", "é", "日", "'", "s", "\n"]
PAIRS = ["h e", "l l", "he ll", "hell o", f"{MARK} hello", "a b", "b c", "ab c", f"{MARK} a", f"{MARK} {MARK}",
         f"{MARK}{MARK} {MARK}{MARK}", "a a", "aa aa", "' s", "é 日", f"{MARK}a b", "a é"]
WORDS = ["hello", "hell", "ab", "bc", "abc", MARK + "hello", MARK + "a", MARK + "ab", MARK * 2, "aa", "aaa", "日日", "lo", "é日", ".."]
BPE_TOKENS = ["<unk>", "<s>", "</s>"] + LETTERS + [p.replace(" ", "") for p in PAIRS]


def alphabet():
    other, symbols = 256, []
    for b in range(256):
        if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174:
            symbols.append(chr(b))
        else:
            symbols.append(chr(other))
            other += 1
    return symbols


def bpe(tokens=BPE_TOKENS, merges=PAIRS, **options):
    return {"type": "BPE", "unk_token": "<unk>", "fuse_unk": False, "byte_fallback": False,
            "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges, **options}


def unigram(tokens=LETTERS + WORDS, unk=True, fallback=False, score=None):
    score = score or (lambda t: single(-random.uniform(1, 4) - (0 if len(t) > 1 else 3)))
    vocab = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0]] + [[t, score(t)] for t in tokens]
    if fallback:
        vocab += [[t, 0.0] for t in BYTES]
    return {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": fallback}


def level(words=("hello", "hell", "abc", "ab", "a", "1", "12", "'", "s", ".", "..", "é", MARK + "hello", MARK + "a", MARK)):
    return {"type": "WordLevel", "vocab": {t: i for i, t in enumerate(["<unk>", "<s>", "</s>", *words])}, "unk_token": "<unk>"}


def metaspace(scheme="always", split=True):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


def sequence(kind, *steps):
    return {"type": "Sequence", kind: list(steps)}


def split(pattern, behavior="Isolated", invert=False, regex=True):
    return {"type": "Split", "pattern": {"Regex" if regex else "String": pattern}, "behavior": behavior, "invert": invert}


def replace(pattern, content, regex=False):
    return {"type": "Replace", "pattern": {"Regex" if regex else "String": pattern}, "content": content}


def template(*single):
    pieces = [{"Sequence": {"id": "A", "type_id": 0}} if p == "A" else {"SpecialToken": {"id": p, "type_id": 0}} for p in single]
    return {"type": "TemplateProcessing", "single": pieces, "pair": pieces + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
                               "both": {"id": "both", "ids": [1, 2], "tokens": ["<s>", "</s>"]}}}


LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
FALLBACK_DECODER = sequence("decoders", replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"},
                            {"type": "Strip", "content": " ", "start": 1, "stop": 0})
LLAMA = sequence("normalizers", {"type": "Prepend", "prepend": MARK}, replace(" ", MARK))
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
            r"\s*[\r\n]+|\s+(?!\S)|\s+")
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ALL_BYTES = BPE_TOKENS + [b for b in BYTES if b not in BPE_TOKENS]

CASES = {
    "bpe llama": dict(model=bpe(ALL_BYTES, byte_fallback=True, fuse_unk=True), normalizer=LLAMA, decoder=FALLBACK_DECODER,
                      post_processor=template("<s>", "A")),
    "bpe unknown": dict(model=bpe(), normalizer=LLAMA, decoder=FALLBACK_DECODER, post_processor=template("A", "</s>")),
    "bpe unknown fused": dict(model=bpe(fuse_unk=True), normalizer=LLAMA, decoder=FALLBACK_DECODER),
    "bpe no unknown": dict(model=bpe(unk_token=None), pre_tokenizer=metaspace("first"), decoder=metaspace("first")),
    "bpe some bytes": dict(model=bpe(BPE_TOKENS + ["<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0x32>"], byte_fallback=True, fuse_unk=True),
                           normalizer=LLAMA, decoder=FALLBACK_DECODER),
    "bpe some bytes, not fused": dict(model=bpe(BPE_TOKENS + ["<0x32>", "<0xC3>", "<0xBC>"], byte_fallback=True), decoder=FALLBACK_DECODER),
    "bpe merged bytes": dict(model=bpe(ALL_BYTES + ["<0x32><0x32>", "a<0x32>", "<unk>a"], PAIRS + ["<0x32> <0x32>", "a <0x32>", "<unk> a"], byte_fallback=True)),
    "bpe ignore merges": dict(model=bpe(BPE_TOKENS + ["oh", "cab"], ignore_merges=True, fuse_unk=True), pre_tokenizer=metaspace()),
    "bpe null everything": dict(model=bpe(ALL_BYTES, byte_fallback=True)),
    "bpe metaspace never": dict(model=bpe(), pre_tokenizer=metaspace("never"), decoder=metaspace("never"), post_processor=template("<s>", "A", "</s>")),
    "bpe metaspace first": dict(model=bpe(), normalizer={"type": "NFD"}, pre_tokenizer=metaspace("first", False), decoder=metaspace("first", False),
                                added=["<x>"], post_processor=template("both", "A", "</s>", "<s>")),
    "bpe metaspace in words": dict(model=bpe(), pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace()), decoder=metaspace()),
    "unigram": dict(model=unigram(), pre_tokenizer=metaspace(), decoder=metaspace(), post_processor=template("A", "</s>")),
    "unigram whole": dict(model=unigram(), pre_tokenizer=metaspace("first", False), decoder=metaspace("first", False), added=["<x>"]),
    "unigram bytes": dict(model=unigram(fallback=True), normalizer=sequence("normalizers", {"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True}),
                          pre_tokenizer=metaspace(), decoder=FALLBACK_DECODER),
    "unigram ties": dict(model=unigram(score=lambda t: single(-1.1) * len(t))),
    "unigram positive": dict(model=unigram(score=lambda t: single(30.7))),
    "unigram bytelevel": dict(model=unigram(alphabet() + ["he", "llo", "\u0120hello", "Ã©"]), pre_tokenizer=LEVEL, decoder={"type": "ByteLevel", **LEVEL}),
    "word level": dict(model=level(), pre_tokenizer={"type": "Whitespace"}, post_processor={"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]}),
    "word level split": dict(model=level(), pre_tokenizer={"type": "WhitespaceSplit"}, decoder=sequence("decoders", {"type": "Fuse"}),
                             post_processor={"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": False}),
    "word level punctuation": dict(model=level(), normalizer={"type": "Lowercase"},
                                   pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation"}, {"type": "Digits", "individual_digits": True})),
    "word level bytelevel": dict(model=level(["hello", "\u0120hello", "\u0120", "a", "Ã©"]), pre_tokenizer={**LEVEL, "use_regex": True},
                                 post_processor=sequence("processors", LEVEL, template("<s>", "A", "</s>"))),
}
for name, pattern in {"o200k": O200K, "deepseek": DEEPSEEK, "gpt2": GPT2, "han": r"[一-龥\u3040-ゟ゠-ヿ]+", "three": r"\p{N}{1,3}", "one of three": r"[0-9][0-9][0-9]|a.b",
                      "looks": r"a(?=b)|\s+(?!\S)|\S+?(?=l)", "cases": r"(?i:'s|k|'ll|L)|\d{2,}", "negated": r"[^\S ]+|\P{L}", "ends": r"\s+$|.$|\n$", "marks": r"\p{P}|\p{S}+|\p{Han}"}.items():
    CASES["pattern " + name] = dict(pre_tokenizer=split(pattern))
for behavior in ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"]:
    for invert in [False, True]:
        CASES[f"split {behavior} {invert}"] = dict(pre_tokenizer=split("b", behavior, invert, regex=False))
    CASES[f"split scanned {behavior}"] = dict(pre_tokenizer=split(GPT2, behavior))
    CASES[f"punctuation {behavior}"] = dict(pre_tokenizer={"type": "Punctuation", "behavior": behavior})
for name, steps in {"NFC": [{"type": "NFC"}], "NFD": [{"type": "NFD"}], "NFKC": [{"type": "NFKC"}], "NFKD": [{"type": "NFKD"}], "Lowercase": [{"type": "Lowercase"}],
                    "Replace": [replace("ab", ""), replace(r"\s+", "_", True)], "Strip": [{"type": "Strip", "strip_left": True, "strip_right": False}],
                    "Strip right": [{"type": "Strip", "strip_left": False, "strip_right": True}, {"type": "Prepend", "prepend": "a "}]}.items():
    CASES["normalizer " + name] = dict(model=bpe(ALL_BYTES, byte_fallback=True), normalizer=sequence("normalizers", *steps), added=["<X>", "É", " b"], normalized=True)

FIXED = ["", " ", "hello", "hello hello", " hello  a", "<s>hello</s>", "a<x> b<x>", "<x>a", "aaaaaaa aaaaa", "日日é日", "\U0001F600\U0001F600a22", "xx yy xx", "a2ü2a",
         "it's IT'S 'ſ K k", "aa\u0300bb", "ab.!?a", "Ⅷ² ﬁ İΣ Σ", "a\n\n b\r\n", "e\u0301 e\u0323\u0301 \uac01 \u1100\u1161\u11a8", "a" + "\u0301\u0323" * 20 + "b",
         "\u09C7\u09BE\u0B47\u0B56" * 9 + "e\u0301", "▁hello ▁ a", "É <X> <x> B b", "2aü x", "abab bab", "日本語です12345", "$a+b`c^"]
PARTS = list("aabbcchello  ..'s1é日\n\tAB\u0301\u0323ü\U0001F600x2\u3000 Éß_,") + ["hello", "ab", " hello", MARK, "<x>", "<s>", "'ll", "  ", "aaaa", "日", "123", "<X>"]


def texts(count):
    return FIXED + ["".join(random.choices(PARTS, k=random.randint(1, 14))) for _ in range(count)]


def build(case):
    """Returns the file of a case."""
    names = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], **{n: case.get(n) for n in names}, "model": case["model"]}
    have = case["model"]["vocab"]
    have = {t: i for i, (t, _) in enumerate(have)} if isinstance(have, list) else have
    size = len(have)
    for token in ["<unk>", "<s>", "</s>"] + case.get("added", []):
        if token not in have and token not in case.get("added", []):
            continue
        file["added_tokens"].append({"id": have.get(token, size), "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                                     "normalized": case.get("normalized", False) and token not in have, "special": token in have})
        size += token not in have
    return file


def encoded(name, case, these):
    """Ids and texts of a complete file; of the first few also the ids with special tokens."""
    file = build(case)
    tokenizer = Tokenizer.from_str(json.dumps(file))
    plain = [tokenizer.encode(t, add_special_tokens=False).ids for t in these]
    return {"name": name, "file": file, "ids": plain, "special": [tokenizer.encode(t).ids for t in these[:6]],
            "decoded": [tokenizer.decode(ids, skip_special_tokens=False) for ids in plain]}


def cut(name, case, these):
    """The words that a pre-tokenizer makes, before any model sees them."""
    step = case["pre_tokenizer"]
    file = build(dict(model=level(), pre_tokenizer=step))
    tokenizer = Tokenizer.from_str(json.dumps(file))
    return {"name": name, "pre_tokenizer": step, "words": [[w for w, _ in tokenizer.pre_tokenizer.pre_tokenize_str(t)] if t else [] for t in these]}


def main():
    these = texts(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
    whole = [encoded(name, case, these) for name, case in CASES.items() if "model" in case]
    words = [cut(name, case, these) for name, case in CASES.items() if "model" not in case]
    json.dump({"texts": these, "files": whole, "cuts": words}, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write("\n")


main()
