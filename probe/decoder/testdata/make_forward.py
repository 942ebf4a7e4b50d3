"""Tiny random models of some families, in bfloat16, and what transformers computes on them.

usage: make_forward.py OUT   (torch 2.15, transformers 5.23; float32 compute, eager attention, CPU)

OUT/CASE/            config.json, model.safetensors
OUT/CASE/golden.json prompts (token ids) and what is expected of them
"""
import json, pathlib, sys
import torch
import transformers as T

EOS = 1


def cases():
    """name -> config"""
    base = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=16, max_position_embeddings=64, bos_token_id=0, eos_token_id=EOS, pad_token_id=EOS)
    rope = lambda **k: {"rope_type": "default", "rope_theta": 10000.0, **k}
    return {
        "gemma2": T.Gemma2Config(**base, query_pre_attn_scalar=20, sliding_window=8, attn_logit_softcapping=5.0, final_logit_softcapping=3.0, rope_parameters=rope()),
        "gemma3": T.Gemma3TextConfig(**base, query_pre_attn_scalar=24, sliding_window=8, layer_types=["sliding_attention", "full_attention"] * 2,
                     rope_parameters={"full_attention": rope(rope_type="linear", factor=8.0, rope_theta=1000000.0), "sliding_attention": rope()}),
        "olmo2": T.Olmo2Config(**base, tie_word_embeddings=False, rope_parameters=rope(rope_theta=500000.0)),
        "smollm3": T.SmolLM3Config(**base, no_rope_layers=[1, 1, 0, 1], tie_word_embeddings=True, use_sliding_window=False, rope_parameters=rope(rope_theta=50000.0)),
    }


def run(cfg, out, seed):
    g = torch.Generator().manual_seed(seed)
    m = T.AutoModelForCausalLM.from_config(cfg, attn_implementation="eager").float().eval()
    gemma = cfg.model_type.startswith("gemma")
    with torch.no_grad():
        for n, p in m.named_parameters():
            if p.ndim == 1 and "norm" in n:
                center = (3.0 if n == "model.norm.weight" else 0.0) if gemma else 1.0
                p.copy_(center + 0.3 * torch.randn(p.shape, generator=g))
            else:
                # small embeddings for Gemma, which multiplies them by sqrt(hidden): else a token only predicts itself
                std = 0.03 if gemma and "embed" in n else 0.15
                p.copy_(std * torch.randn(p.shape, generator=g))
            p.copy_(p.bfloat16().float())
    out.mkdir(parents=True, exist_ok=True)
    m.to(torch.bfloat16).save_pretrained(out)
    c = json.loads((out / "config.json").read_text()); c.pop("_name_or_path", None); c.pop("transformers_version", None)
    (out / "config.json").write_text(json.dumps(c, indent=1, sort_keys=True) + "\n")
    m = T.AutoModelForCausalLM.from_pretrained(out, attn_implementation="eager", dtype=torch.float32).eval()
    gold = {"prompts": []}
    with torch.no_grad():
        for n in (5, 17, 40):
            ids = torch.randint(2, cfg.vocab_size, (n,), generator=g).tolist()
            lg = m(torch.tensor([ids])).logits[0]; e = {"ids": ids, "last_logits": lg[-1].tolist()}
            cut = len(ids) // 2; lp = torch.log_softmax(lg.double(), -1)
            tok = [lp[i - 1, ids[i]].item() for i in range(cut, len(ids))]
            e["loglikelihood"] = {"prompt": ids[:cut], "continuation": ids[cut:], "sum": sum(tok), "tokens": tok, "is_greedy": all(int(lg[i - 1].argmax()) == ids[i] for i in range(cut, len(ids)))}
            cur, new, gaps = list(ids), [], []
            for _ in range(16):
                z = m(torch.tensor([cur])).logits[0, -1]; top = z.topk(2).values; t = int(z.argmax())
                new.append(t); gaps.append((top[0] - top[1]).item()); cur.append(t)
            e["greedy"] = {"ids": new, "top2_gap": gaps}
            gold["prompts"].append(e)
    (out / "golden.json").write_text(json.dumps(gold) + "\n")
    for f in ("README.md", "tokenizer_config.json", "generation_config.json"): (out / f).unlink(missing_ok=True)


def main():
    torch.set_num_threads(1)
    for i, (name, cfg) in enumerate(cases().items()):
        run(cfg, pathlib.Path(sys.argv[1]) / name, 7000 + i)


if __name__ == "__main__":
    main()
