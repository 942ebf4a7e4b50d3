"""Does what surgeon writes load in transformers and peft, with the same tokens and the same logits?

usage: loads.py DIR [ADAPTER] REQUESTS ANSWERS   (torch 2.15, transformers 5.23, peft 0.21; CPU, float32, eager attention)

REQUESTS is what `surgeon probe` was asked, lines with "prompt", "prompt_ids" or "messages" and "logits": true, ANSWERS what it answered:
    surgeon probe DIR requests.jsonl > answers.jsonl
and with an adapter, which probe does not read by itself:
    surgeon merge DIR ADAPTER --alpha 1 --out-dtype F32 -o merged && surgeon probe merged requests.jsonl > answers.jsonl
Prints one JSON object: prompts, logits compared, the ids of requests whose tokens are not AutoTokenizer's and of those without logits, and
the largest absolute difference of a logit. Exit code 1 if that is above 1e-4, if either list has an id, or if nothing was compared.
"""
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

LIMIT = 1e-4


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def tokens(tokenizer, request):
    """the prompt's ids as probe makes them: a prompt as it is written, messages by the chat template and the turn that is to be answered"""
    if "messages" in request:
        text = tokenizer.apply_chat_template(request["messages"], tokenize=False, add_generation_prompt=True)
    else:
        text = request["prompt"]
    return tokenizer(text, add_special_tokens=False).input_ids


def difference(model, answer):
    """of the logits after the prompt, or after each of its tokens where the answer has so many rows"""
    ours = torch.tensor(answer["logits"], dtype=torch.float64)
    with torch.no_grad():
        theirs = model(torch.tensor([answer["prompt_ids"]])).logits[0].double()
    theirs = theirs[-1] if ours.ndim == 1 else theirs
    if ours.shape != theirs.shape:
        sys.exit(f"loads.py: request {answer['id']}: {list(ours.shape)} logits where transformers has {list(theirs.shape)}")
    d = (ours - theirs).abs().max().item()
    return d if d == d else float("inf")  # NaN agrees with nothing


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    folder, adapter, (asked, answered) = sys.argv[1], sys.argv[2:-2], sys.argv[-2:]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    if adapter:
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, adapter[0]).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    requests, answers = lines(asked), {json.dumps(a["id"]): a for a in lines(answered)}
    compared, other, silent, worst = 0, [], [], 0.0
    for r in requests:
        a = answers.get(json.dumps(r["id"]))
        if not a or "logits" not in a:
            silent.append(r["id"])
            continue
        if (r["prompt_ids"] if "prompt_ids" in r else tokens(tokenizer, r)) != a["prompt_ids"]:
            other.append(r["id"])
        worst = max(worst, difference(model, a))
        compared += torch.tensor(a["logits"]).numel()
    print(json.dumps({"prompts": len(requests), "logits": compared, "other_tokens": other, "without_logits": silent, "largest_difference": worst}))
    sys.exit(not compared or bool(other) or bool(silent) or not worst <= LIMIT)


if __name__ == "__main__":
    main()
