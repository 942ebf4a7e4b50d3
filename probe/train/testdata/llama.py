"""A Llama decoder in plain torch, for gradients.py and torchtrain.py: weights are a dict by their names in Hugging Face's files.

Where transformers' LlamaForCausalLM computes norms, angles and softmax in float32 always, this one keeps the precision of its weights,
so that in float64 it is an oracle. Attention is "explicit" (scores, mask, softmax, sum) or "sdpa" (F.scaled_dot_product_attention).
"""
import math
import torch
import torch.nn.functional as F

TARGETS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def shapes(c):
    """name -> shape, of a config.json with a tied head"""
    d, f, h = c["hidden_size"], c["intermediate_size"], c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    q, k = h * c["num_attention_heads"], h * c["num_key_value_heads"]
    out = {"model.embed_tokens.weight": (c["vocab_size"], d)}
    for l in range(c["num_hidden_layers"]):
        p = f"model.layers.{l}."
        for name, shape in zip(TARGETS, ((q, d), (k, d), (k, d), (d, q), (f, d), (f, d), (d, f))):
            out[f"{p}{name}.weight"] = shape
        out[p + "input_layernorm.weight"] = out[p + "post_attention_layernorm.weight"] = (d,)
    out["model.norm.weight"] = (d,)
    return out


def norm(x, w, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * w


def angles(c, n, dtype):
    """cosines and sines [n, head_dim / 2] of the rotary positions"""
    h = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    a = torch.arange(n, dtype=torch.float64)[:, None] * c["rope_theta"] ** (-torch.arange(0, h, 2, dtype=torch.float64) / h)
    return a.cos().to(dtype), a.sin().to(dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def attend(q, k, v, way):
    if way == "sdpa":
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    n = q.shape[-2]
    mask = torch.full((n, n), -math.inf, dtype=q.dtype).triu(1)
    return (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask).softmax(-1) @ v


def logits(w, c, ids, way="explicit", rope=None, lora=None, scale=1.0):
    """logits [batch, n, vocabulary] of ids [batch, n]; lora: name of a matrix -> (A [rank, in], B [out, rank]), added as scale * B A"""
    b, n = ids.shape
    heads, kv, eps = c["num_attention_heads"], c["num_key_value_heads"], c["rms_norm_eps"]
    cos, sin = rope or angles(c, n, w["model.norm.weight"].dtype)

    def linear(x, name):
        y = F.linear(x, w[name])
        if lora and name in lora:
            A, B = lora[name]
            y = y + scale * F.linear(F.linear(x, A), B)
        return y

    x = F.embedding(ids, w["model.embed_tokens.weight"])
    for l in range(c["num_hidden_layers"]):
        p = f"model.layers.{l}."
        y = norm(x, w[p + "input_layernorm.weight"], eps)
        q, k, v = (linear(y, f"{p}self_attn.{s}_proj.weight").view(b, n, m, -1).transpose(1, 2) for s, m in (("q", heads), ("k", kv), ("v", kv)))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (t.repeat_interleave(heads // kv, 1) for t in (k, v))
        x = x + linear(attend(q, k, v, way).transpose(1, 2).reshape(b, n, -1), p + "self_attn.o_proj.weight")
        y = norm(x, w[p + "post_attention_layernorm.weight"], eps)
        x = x + linear(F.silu(linear(y, p + "mlp.gate_proj.weight")) * linear(y, p + "mlp.up_proj.weight"), p + "mlp.down_proj.weight")
    return F.linear(norm(x, w["model.norm.weight"], eps), w["model.embed_tokens.weight"])
