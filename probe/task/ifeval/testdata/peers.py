"""Write cases.jsonl: the verdicts of lm-evaluation-harness's checkers on cases written for this.

usage: NLTK_DATA=FOLDER peers.py > cases.jsonl     (pip install lm_eval==0.4.13 nltk==3.10.4 langdetect==1.0.9)

A line: [id, arguments, text, strict, loose]. A case whose verdict differs among ten seeds of langdetect
is left out.
"""
import json
import logging
import random

import langdetect
from lm_eval.tasks.ifeval import utils

logging.disable(logging.CRITICAL)
ENGLISH = "The garden behind the house had been left alone for years, and nobody knew what was still growing there."
GERMAN = "Der Garten hinter dem Haus war jahrelang sich selbst überlassen, und niemand wusste, was dort noch wuchs."


def relations(name, relation, numbers):
    return [{name: n, relation: r} for n in numbers for r in ("less than", "at least")]


CASES = {
    "keywords:existence": (
        [{"keywords": k} for k in (["rain"], ["rain", "Tea"], ["a.c"], ["straße"], ["x|y"], ["C++"], ["e{2}"], ["^tea$"], [r"\bart\b"], ["i"], [""])],
        ["The rain fell.", "Training and teamwork", "abc", "STRASSE und STRAẞE", "C", "see TEA", "ra**in** and t*ea*", "intro\ntea\nbye", "part art", "ı", "K", " \n"],
    ),
    "keywords:frequency": (
        [dict(keyword=k, **r) for k in ("tea", " Tea ", "aa", "t.a", "ß") for r in relations("frequency", "relation", (1, 2, 3))],
        ["tea", "Tea team STEAM", "aaaa aa", "t*e*a tea", "tXa\nt\na", "ß ẞ ss", "nothing"],
    ),
    "keywords:forbidden_words": (
        [{"forbidden_words": k} for k in (["tea"], ["caf"], ["tea", "rain drops"], ["日本"], ["e.g."], ["a|b"], ["naïve"])],
        ["Tea time", "team", "tea's", "café", "rain  drops", "rain drops", "日本語", "日本 です", "e.g. this", "one b", "crab", "NAÏVE", "naïvely", "ok\ntea", "te*a*"],
    ),
    "keywords:letter_frequency": (
        [dict(letter=x, **r) for x in ("e", "K", "i") for r in relations("let_frequency", "let_relation", (1, 2, 3))],
        ["Eel", "kK", "K", "İi", "é e", "*e*\ne", "none", "ı"],
    ),
    "language:response_language": (
        [{"language": x} for x in ("en", "de", "fr", "ja")],
        [ENGLISH, GERMAN, ENGLISH.upper(), "1234", "。", "家の裏の庭は何年も放っておかれ、そこにまだ何が生えているのか誰も知らなかった。", GERMAN + "\n" + GERMAN],
    ),
    "length_constraints:number_sentences": (
        relations("num_sentences", "relation", (1, 2, 3, 4)),
        ["One", "One. Two. Three.", "Dr. Adams left. He slept.", "“One.” Two. ‘Three.’", "1. One\n2. Two\n3. Three", "Wait... what? No!", "A line\n\nAnother", "Sure.\nOne. Two.", "これは文です。これも文です。"],
    ),
    "length_constraints:number_words": (
        relations("num_words", "relation", (1, 2, 3, 5)),
        ["one", "two words", "it's three", "snake_case one-two", "हिन्दी भाषा", "e\u0301cole", "½ ² Ⅷ", "日本語 テスト", "— … !", "a\u200bb", "hi\nthere you", "*a*b*"],
    ),
    "length_constraints:number_paragraphs": (
        [{"num_paragraphs": n} for n in (1, 2, 3)],
        ["one", "one *** two", "one\n***\ntwo\n***\nthree", "***one", "one***", "one *** *** two", "one****two", "***", "a\n\n***\n\nb", "x\n***\none *** two"],
    ),
    "length_constraints:nth_paragraph_first_word": (
        [{"num_paragraphs": n, "nth_paragraph": m, "first_word": w} for n, m, w in ((1, 1, "Hello"), (2, 2, "hello"), (3, 2, "été"), (2, 1, "it"))],
        ["Hello there", "'Hello' there", "'\"Hello.x", "\"'Hello", "One\n\nHello!", "One\n\n\n\nHello", "a\n\nÉTÉ\n\nb", "It's\n\nso", "Intro\n\nOne\n\nhello", "**Hello**", "Hello-you", "\n\nHello", "One\n\nHELLO,x"],
    ),
    "detectable_content:number_placeholders": (
        [{"num_placeholders": n} for n in (1, 2, 3)],
        ["[a]", "[a] [b]", "[a [b] c]", "[]", "[a\nb]", "[[a]]", "[*a*] x\n[b] [c]", "none"],
    ),
    "detectable_content:postscript": (
        [{"postscript_marker": m} for m in ("P.S.", "P.P.S", "Note:", " P.S. ", "N.B|PS")],
        ["p.s. bye", "P. S. bye", "P.S bye", "P.P.S. bye", "p. p. s", "text\nP.S.", "PS bye", "NOTE: x", "n.b", "P.*S.*", "P.\u00a0S. x"],
    ),
    "detectable_format:number_bullet_lists": (
        [{"num_bullets": n} for n in (1, 2, 3)],
        ["* a", "- a\n- b", "* a\n- b\n  * c", "** a", "*\n* a", "-", "* a\n\n\n* b", "*a*\n*b*", "a - b", "\u2028* a", "* \n", "*", "\t- a\n-b\n * c", "- one\n---\n- two"],
    ),
    "detectable_format:constrained_response": (
        [{}],
        ["My answer is yes.", "Well. My answer is no. Yes.", "my answer is no.", "My answer is maybe", "My *answer* is maybe.", "x\nMy answer is yes.\ny"],
    ),
    "detectable_format:number_highlighted_sections": (
        [{"num_highlights": n} for n in (1, 2, 3)],
        ["*a*", "**a**", "***a***", "* *", "*a\nb*", "*a* *b*", "** **", "****", "*a*b*c*", "**a** **b**", "* x\n* y", "*\u00a0*", "*****a*****"],
    ),
    "detectable_format:multiple_sections": (
        [{"section_spliter": s, "num_sections": n} for s in ("Section", "SECTION", " Day ", "Part|Act") for n in (1, 2)],
        ["Section 1 a Section 2", "SECTION 1\na\nSECTION 2\nb", "Section1", "Section  1", "Day ١ and Day ²", "Monday 1 Day 2", "Part 1 Act 2", "*Section* 1", "section 1"],
    ),
    "detectable_format:json_format": (
        [{}],
        ['{"a": 1}', "```json\n[1, 2]\n```", "```JSON {} ```", "``` null", "```python\n{}\n```", "Here:\n{}", "NaN", "-Infinity", "[NaN, Infinity]", "-NaN", "1Infinity", "+1", "01", "1.", "1e5", "1E+400",
         '"a\tb"', '"a\\u00e9\\n"', '"\\x"', '"NaN', '{"NaN": NaN}', "{1: 2}", "[1,]", "{}{}", "\ufeff{}", "\x1c[]\x1f", "9" * 4300, "9" * 4301, "9" * 4301 + ".5", "[" + "-" + "1" * 4301 + "]", "tru", "true", "\u00a0{}", "{\u00a0}", "'a'", "*{}*"],
    ),
    "detectable_format:title": (
        [{}],
        ["<<A title>>", "<<>>", "<< >>", "<<a\nb>>", "<<<a>>>", "<<<<>>>>", "<a>", "x <<b>> y", "<<*>>", "<< > >>"],
    ),
    "combination:two_responses": (
        [{}],
        ["one ****** two", "one******one", "one ****** one ", "****** one ****** two ******", "one ****** ****** two", "one", "a******b******c", "a*******b", "a************b", "x\na ****** b"],
    ),
    "combination:repeat_prompt": (
        [{"prompt_to_repeat": p} for p in ("Name a tree.", " NAME a ", "Σας")],
        ["Name a tree. Oak.", "  name A TREE.oak", "Oak. Name a tree.", "Sure:\nName a tree. Oak", "*Name* a tree.", "ΣΑΣ", "name"],
    ),
    "startend:end_checker": (
        [{"end_phrase": p} for p in ("Any questions?", " The END ", "ς")],
        ["Well. Any questions?", 'x any QUESTIONS?" ', "Any questions? Yes", "the end", "the end\nbye", "The *end*", '"the end" "', "ΛΟΓΟΣ", "any questions?\u00a0"],
    ),
    "startend:quotation": (
        [{}],
        ['"a"', '"', '""', ' "a" ', '"a" b', "“a”", 'Sure:\n"a"', '*"a"*', "'a'"],
    ),
    "change_case:capital_word_frequency": (
        relations("capital_frequency", "capital_relation", (1, 2, 3, 4)),
        ["A B", "HELLO World", "DON'T I'M", "CANNOT", "U.S.A. and NATO's", "A-B C--D", "ΑΒΓ АБВ", "Ⅷ Ⓐ", "日本 ABC日本", "*BOLD* **TEXT**", "none", "ONE,TWO 3D", "“QUOTE” X", "NASA.\nESA. I", "Dr. A. B. CARTER"],
    ),
    "change_case:english_capital": ([{}], [ENGLISH.upper(), ENGLISH, GERMAN.upper() + "ß", "1234", "Ok:\n" + ENGLISH.upper(), "日本"]),
    "change_case:english_lowercase": ([{}], [ENGLISH.lower(), ENGLISH, GERMAN.lower(), "1234", "Ok:\n" + ENGLISH.lower(), ENGLISH.lower() + " ǅ"]),
    "punctuation:no_comma": ([{}], ["a, b", "a b", "a、b", "a\nb,", "1,000", " "]),
}
EVERYWHERE = ["", " \n\t", "word", "\n\n"]

draw = random.Random(11)
for name, (arguments, texts) in CASES.items():
    pairs = [(a, t) for a in arguments for t in texts + EVERYWHERE]
    if len(pairs) > 130:
        pairs = draw.sample(pairs, 130)
    for given, text in pairs:
        example = utils.InputExample(key=0, instruction_id_list=[name], prompt="", kwargs=[given])
        seen = []
        for seed in range(10 if "language" in name or "english" in name else 1):
            langdetect.DetectorFactory.seed = seed
            seen.append([
                bool(follows(example, text).follow_instruction_list[0])
                for follows in (utils.test_instruction_following_strict, utils.test_instruction_following_loose)
            ])
        if all(s == seen[0] for s in seen):
            print(json.dumps([name, given, text, *seen[0]], ensure_ascii=False, separators=(",", ":")))
