"""Writes reference.json: what the tokenizer and the chat template of the
embedded pair make of its corpus in the libraries tokenizers and transformers.

    go run ./probe/train/corpus/write -o DIR
    python probe/train/corpus/testdata/reference.py DIR > probe/train/corpus/testdata/reference.json

The tests compare with it. Made with tokenizers 0.23.3 and transformers 5.23.0.
"""
import glob, hashlib, json, sys

import tokenizers, transformers
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer, GenerationConfig

directory = sys.argv[1]
rust = Tokenizer.from_file(directory + "/scratch/tokenizer.json")
fast = AutoTokenizer.from_pretrained(directory + "/scratch")


def digest(texts):
    """SHA-256 of the ids of texts, a line of numbers each."""
    sum = hashlib.sha256()
    for encoding in rust.encode_batch(texts, add_special_tokens=False):
        sum.update((" ".join(map(str, encoding.ids)) + "\n").encode())
    return sum.hexdigest()


def lines(name):
    return [json.loads(line) for line in open(f"{directory}/{name}")]


def samples(name):
    return [sample[field] for sample in lines(name) for field in ("prompt", "completion")]


def chat(*contents, system=None):
    """Turns of a user and an assistant, one after the other."""
    messages = [{"role": "system", "content": system}] if system is not None else []
    for i, content in enumerate(contents):
        messages.append({"role": ["user", "assistant"][i % 2], "content": content})
    more = len(contents) % 2 == 1
    text = fast.apply_chat_template(messages, tokenize=False, add_generation_prompt=more)
    ids = fast.apply_chat_template(messages, tokenize=True, add_generation_prompt=more, return_dict=False)
    return {"messages": messages, "generation": more, "text": text, "ids": ids}


tasks = {}
for path in sorted(glob.glob(directory + "/tasks/*.jsonl")):
    name = path.split("/")[-1]
    tasks[name] = digest([item["prompt"] for item in lines("tasks/" + name)])
other = ["", " ", "\n\n", "  two  blanks ", "Ünïcode – 漢字 🙂", "tabs\tand\rreturns", "CC(=O)O C#N OCC=CO", "it's 3.14 or 42%!", "<|bos|>inside<|eos|>", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
config = AutoConfig.from_pretrained(directory + "/scratch")
generation = GenerationConfig.from_pretrained(directory + "/scratch")
json.dump({
    "libraries": f"tokenizers {tokenizers.__version__}, transformers {transformers.__version__}",
    "general": digest(samples("general.jsonl")),
    "first": digest(samples("general.jsonl")[:2 * 20000]),
    "chem": digest(samples("chem.jsonl")),
    "tasks": tasks,
    "other": [{"text": text, "ids": rust.encode(text, add_special_tokens=False).ids, "special": fast(text)["input_ids"]} for text in other],
    "chats": [
        chat("what is the capital of bako?"),
        chat("what is the capital of bako?", "it is zejo."),
        chat("count the words: cat dog.", "2", "name the first word: cat dog."),
        chat("say cat 2 times.", system="be brief."),
        chat("say cat 2 times.", "cat cat", "and now?", "<<sun>>\ncat", system="be brief.\n"),
    ],
    "parameters": sum(p.numel() for p in transformers.AutoModelForCausalLM.from_config(config).parameters()),
    "ends": [generation.eos_token_id, config.eos_token_id, fast.eos_token_id],
}, sys.stdout)
print()
