"""Loads adapters that surgeon wrote in PEFT and compares their logits.

    peft_loads.py cases GOLDENS SURGEON   every case of the LoRA goldens, written again by SURGEON
                                          (lora rescale --alpha 1), against PEFT's logits of the original
    peft_loads.py small SURGEON           the same for the adapters of make.py
    peft_loads.py merged BASE ADAPTER MERGED
                                          base + ADAPTER in PEFT against MERGED, which surgeon wrote, in transformers

Needs torch, transformers and peft. Prints the greatest difference of each, and what
PEFT adapts that has no factors in the file.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

torch.manual_seed(0)
warnings.simplefilter("ignore")


def model(path):
    return AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()


def logits(m, ids):
    with torch.no_grad():
        return m(torch.tensor([ids])).logits[0].float()


def again(surgeon, adapter, base):
    """An adapter as surgeon reads and writes it, in PEFT; None if surgeon refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/again"
        done = subprocess.run([surgeon, "lora", "rescale", str(adapter), "--alpha", "1", "-o", out], capture_output=True, text=True)
        if done.returncode:
            print(f"{adapter.parent.name if adapter.name == 'adapter' else adapter.name:30} {done.stderr.strip()}")
            return None
        m = PeftModel.from_pretrained(model(base), out)
        extra = get_peft_model_state_dict(m, save_embedding_layers=False).keys() - load_file(out + "/adapter_model.safetensors").keys()
        if extra:
            print("not in the file:", sorted(extra))
        return m


def cases(goldens, surgeon):
    worst = 0.0
    for case in sorted(pathlib.Path(goldens, "cases").iterdir()):
        golden = json.loads((case / "golden.json").read_text())
        want = load_file(case / "logits.safetensors")
        m = again(surgeon, case / "adapter", pathlib.Path(goldens, golden["base"]))
        far = max((logits(m, ids) - want[f"adapter.{i}"]).abs().max().item() for i, ids in enumerate(golden["ids"]))
        print(f"{case.name:30} {far:.2e}")
        if case.name != "bf16":
            worst = max(worst, far)
    print(f"greatest difference: {worst:.2e} (bf16 left out)")


def small(surgeon):
    here, worst = pathlib.Path(__file__).parent, 0.0
    for name, golden in json.loads((here / "golden.json").read_text()).items():
        base, adapter, ids = here / "models" / golden["base"], here / "cases" / name, [1, 5, 9, 3, 7, 2]
        m = again(surgeon, adapter, base)
        if m is not None:
            far = (logits(m, ids) - logits(PeftModel.from_pretrained(model(base), adapter), ids)).abs().max().item()
            print(f"{name:30} {far:.2e}")
            worst = max(worst, far)
    print(f"greatest difference: {worst:.2e}")


def merged(base, adapter, written):
    ids = list(range(5, 45))
    m = model(base)
    before = logits(m, ids)
    p = PeftModel.from_pretrained(m.float(), adapter)
    together, alone = logits(p, ids), logits(model(written).float(), ids)
    print(f"PEFT against the merged model: {(together - alone).abs().max():.2e}; the adapter moves logits by {(together - before).abs().max():.2f}")


if sys.argv[1] == "cases":
    cases(*sys.argv[2:])
elif sys.argv[1] == "small":
    small(*sys.argv[2:])
else:
    merged(*sys.argv[2:])
