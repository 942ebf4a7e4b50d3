"""Pack langdetect's profiles into profiles.txt.gz.

usage: pack.py langdetect/profiles profiles.txt.gz

First a line for each language, in the order of their codes: code, then the numbers of grams of one,
two and three characters. After an empty line, a line for each gram of one to three characters, in
order: the gram, a tab, and for each language that has it the place of the language and the count.
"""
import gzip
import json
import os
import sys

source, target = sys.argv[1:3]
head, grams = [], {}
for place, name in enumerate(sorted(os.listdir(source))):
    profile = json.load(open(os.path.join(source, name), encoding="utf-8"))
    head.append(" ".join([profile["name"], *map(str, profile["n_words"])]))
    for gram, count in profile["freq"].items():
        if 1 <= len(gram) <= 3:
            grams.setdefault(gram, []).append(f"{place} {count}")
lines = head + [""] + [gram + "\t" + " ".join(counts) for gram, counts in sorted(grams.items())]
with open(target, "wb") as out, gzip.GzipFile(filename="", mode="wb", compresslevel=9, mtime=0, fileobj=out) as packed:
    packed.write(("\n".join(lines) + "\n").encode())
