"""Writes the parquet files of the tests, in the shapes that the hub's data sets have, and what pyarrow reads from them.

usage: python3 make.py FOLDER      (needs pyarrow; the questions are invented)
"""
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

out = Path(sys.argv[1])
expected = {}


def write(name, rows, schema, **how):
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, out / name, **how)
    back = pq.read_table(out / name).to_pylist()
    expected[name] = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in back]


mmlu = pa.schema([("question", pa.string()), ("subject", pa.string()), ("choices", pa.list_(pa.string())), ("answer", pa.int64())])
question = lambda i, s: {"question": f" Question {i} of {s}?\n", "subject": s, "choices": [f"{i}", "naïve “x”", "\ttab", "¼"], "answer": i % 4}
write("mmlu/anatomy/test-00000-of-00002.parquet", [question(i, "anatomy") for i in range(3)], mmlu)
write("mmlu/anatomy/test-00001-of-00002.parquet", [question(i, "anatomy") for i in range(3, 5)], mmlu, compression="zstd")
write("mmlu/anatomy/dev-00000-of-00001.parquet", [question(i, "anatomy") for i in range(10, 15)], mmlu, compression="gzip")
write("mmlu/all/test-00000-of-00001.parquet", [question(i, s) for s in ("anatomy", "virology") for i in range(5)], mmlu, data_page_version="2.0", row_group_size=4)
write("mmlu/virology/dev-00000-of-00001.parquet", [question(i, "virology") for i in range(5)], mmlu, compression="brotli")

gsm8k = pa.schema([("question", pa.large_string()), ("answer", pa.string())])
write("gsm8k/main/test-00000-of-00001.parquet", [{"question": f"{i} and {i}?", "answer": f"{i}+{i}=<<{i}+{i}={2*i}>>{2*i}\n#### {2*i}"} for i in range(120)], gsm8k, use_dictionary=False, row_group_size=50, data_page_size=256)
write("gsm8k/main/train/0000.parquet", [{"question": "1 and 1?", "answer": "#### 2"}], gsm8k, compression="none")

arguments = pa.struct([("num_words", pa.int64()), ("relation", pa.string()), ("keywords", pa.list_(pa.string()))])
ifeval = pa.schema([("key", pa.int64()), ("prompt", pa.string()), ("instruction_id_list", pa.list_(pa.string())), ("kwargs", pa.list_(arguments))])
write("ifeval/train-00000-of-00001.parquet", [
    {"key": 1, "prompt": "Write.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {"key": 2, "prompt": "Write more.", "instruction_id_list": ["length_constraints:number_words", "keywords:existence"],
     "kwargs": [{"num_words": 300, "relation": "at least"}, {"keywords": ["a", "b", "c"]}]},
    {"key": 3, "prompt": "Nothing.", "instruction_id_list": [], "kwargs": []},
    {"key": 4, "prompt": None, "instruction_id_list": None, "kwargs": [None, {"keywords": []}]},
], ifeval)

nested = pa.schema([("b", pa.bool_()), ("i", pa.int32()), ("u", pa.uint64()), ("f", pa.float32()), ("d", pa.float64()),
                    ("deep", pa.list_(pa.list_(pa.struct([("x", pa.list_(pa.int16())), ("y", pa.string())])))), ("s", pa.struct([("t", pa.struct([("z", pa.int8())]))]))])
write("nested.parquet", [
    {"b": True, "i": -7, "u": 2**64 - 1, "f": 0.5, "d": 1e-5, "deep": [[{"x": [1, 2], "y": "a"}], [], None, [{"x": None, "y": None}, {"x": [], "y": ""}, None]], "s": {"t": {"z": 1}}},
    {"b": False, "i": 0, "u": 0, "f": -3.0, "d": 1e16, "deep": [], "s": {"t": None}},
    {"b": None, "i": None, "u": None, "f": None, "d": 123456.75, "deep": None, "s": None},
    {"b": True, "i": 2**31 - 1, "u": 1, "f": 1e10, "d": -0.0, "deep": [[{"x": [3], "y": "c"}]], "s": {"t": {"z": None}}},
], nested, use_compliant_nested_type=False)

examples = pa.list_(pa.struct([("input", pa.string()), ("target", pa.string()), ("target_scores", pa.string())]))
chem = pa.schema([("uuid", pa.string()), ("name", pa.string()), ("keywords", pa.list_(pa.string())), ("metrics", pa.list_(pa.string())), ("examples", examples),
                  ("subfield", pa.string()), ("relative_tolerance", pa.float64())])
row = lambda u, e, tol=None: {"uuid": u, "name": "n", "keywords": ["k"], "metrics": ["m"], "examples": [e], "subfield": "Organic Chemistry", "relative_tolerance": tol}
write("chembench/organic_chemistry/train-00000-of-00001.parquet", [
    row("u1", {"input": "Which is a metal?", "target_scores": json.dumps({"iron": 1, "neon": 0})}),
    row("u2", {"input": "How many?", "target": "3.5E-2"}, 0.05),
    row("u3", {"input": "Which are gases?", "target_scores": json.dumps({"neon": 1, "argon": 1.0, "iron": 0.0})}),
], chem)
write("chembench/general_chemistry/train-00000-of-00001.parquet", [row("u4", {"input": "A base?", "target_scores": json.dumps({"HCl": 0.0, "NaOH": 1.0})})], chem)
(out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
