"""Renders chat templates with transformers' own environment.

usage: make_goldens.py TEMPLATES OUT.json   (transformers 5.23, jinja2 3.1.6)

TEMPLATES/NAME.jinja are templates as models have them; OUT.json is a list of
{template, conversation, generation, text or error}.
"""
import json, pathlib, sys
from transformers.utils.chat_template_utils import render_jinja_template

message = lambda role: lambda content: {"role": role, "content": content}
U, A, S = message("user"), message("assistant"), message("system")
CONVERSATIONS = [
    [U("What is the symbol of iron?")],
    [S("Answer briefly."), U("What is the symbol of iron?")],
    [U("Hi"), A("Hello!"), U("And gold?")],
    [S("You are a chemist."), U("Hi"), A("Hello!"), U("And gold?"), A("Au")],
    [U("")],
    [U("  blanks \n\nand lines \n")],
    [U("été 漢字 😀 <b>&amp;'\"{{ x }}{% y %}")],
    [A("I begin.")],
    [U("one"), U("two")],
    [S("only a system")],
    [U("think"), A("<think>\nhm\n</think>\n\nDone."), U("again")],
]
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def main():
    out = []
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
        for i, messages in enumerate(CONVERSATIONS):
            for generation in (False, True):
                case = {"template": file.stem, "conversation": i, "generation": generation}
                try:
                    case["text"] = render_jinja_template([messages], chat_template=file.read_text(), add_generation_prompt=generation, **SPECIAL)[0][0]
                except Exception as e:
                    case["error"] = str(e)
                out.append(case)
    json.dump({"special": SPECIAL, "conversations": CONVERSATIONS, "cases": out}, open(sys.argv[2], "w"), indent=0, ensure_ascii=False)


if __name__ == "__main__":
    main()
