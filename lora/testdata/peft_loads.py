"""Loads adapters that surgeon wrote in PEFT and compares their logits.

    peft_loads.py cases GOLDENS SURGEON   every case of the LoRA goldens, written again by SURGEON
                                          (lora rescale --alpha 1), against PEFT's logits of the original
    peft_loads.py merged BASE ADAPTER MERGED
                                          base + ADAPTER in PEFT against MERGED, which surgeon wrote, in transformers

Needs torch, transformers and peft. Prints the greatest difference of each.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

torch.manual_seed(0)
warnings.simplefilter("ignore")


def model(path):
    return AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()


def logits(m, ids):
    with torch.no_grad():
        return m(torch.tensor([ids])).logits[0].float()


def cases(goldens, surgeon):
    worst = 0.0
    for case in sorted(pathlib.Path(goldens, "cases").iterdir()):
        golden = json.loads((case / "golden.json").read_text())
        want = load_file(case / "logits.safetensors")
        with tempfile.TemporaryDirectory() as folder:
            out = folder + "/again"
            subprocess.run([surgeon, "lora", "rescale", str(case / "adapter"), "--alpha", "1", "-o", out], check=True, stdout=subprocess.DEVNULL)
            m = PeftModel.from_pretrained(model(pathlib.Path(goldens, golden["base"])), out)
        far = max((logits(m, ids) - want[f"adapter.{i}"]).abs().max().item() for i, ids in enumerate(golden["ids"]))
        print(f"{case.name:24} {far:.2e}")
        if case.name != "bf16":
            worst = max(worst, far)
    print(f"greatest difference: {worst:.2e} (bf16 left out)")


def merged(base, adapter, written):
    ids = list(range(5, 45))
    m = model(base)
    before = logits(m, ids)
    p = PeftModel.from_pretrained(m.float(), adapter)
    together, alone = logits(p, ids), logits(model(written).float(), ids)
    print(f"PEFT against the merged model: {(together - alone).abs().max():.2e}; the adapter moves logits by {(together - before).abs().max():.2f}")


if sys.argv[1] == "cases":
    cases(*sys.argv[2:])
else:
    merged(*sys.argv[2:])
