"""Writes the golden files of types_test.go with the reference library.

    pip install safetensors==0.8.0 && python reference.py

reference.safetensors has a tensor of every type that its Python side can write
(all but F6_E2M3 and F6_E3M2), under names that JSON must or need not escape;
separators.safetensors has the two characters that other writers of JSON escape.
"""

import ctypes
import os

from safetensors import TensorSpec, serialize

# What the library calls a type, the bits of an element as it counts them, the
# shape: float4_e2m1fn_x2 counts pairs and is written as F4 with twice as many.
TENSORS = {
    "bool": ("bool", 8, [3]),
    "model.layers.10.f4": ("float4_e2m1fn_x2", 8, [2, 3]),
    "model.layers.2.u8": ("uint8", 8, [5]),
    "i8": ("int8", 8, [2, 2]),
    "e5m2": ("float8_e5m2", 8, [7]),
    "e4m3": ("float8_e4m3fn", 8, [1, 7]),
    "e8m0": ("float8_e8m0fnu", 8, [1]),
    "e4m3fnuz": ("float8_e4m3fnuz", 8, [2]),
    "e5m2fnuz": ("float8_e5m2fnuz", 8, [3]),
    "i16": ("int16", 16, [3]),
    "u16": ("uint16", 16, [3]),
    "f16": ("float16", 16, [5]),
    "bf16 <of> 'a' & b": ("bfloat16", 16, [2, 3]),
    "i32": ("int32", 32, [1]),
    "u32": ("uint32", 32, [1, 1, 1]),
    "f32": ("float32", 32, [3]),
    "c64": ("complex64", 64, [2]),
    "f64": ("float64", 64, [2]),
    "i64": ("int64", 64, [1]),
    "u64": ("uint64", 64, [1]),
    "scalar": ("float32", 32, []),
    "nothing": ("float32", 32, [3, 0, 2]),
    "\"quoted\" \\ / \b\f\n\r\t": ("float32", 32, [1]),
    "\x00\x01\x1f\x7f\x85": ("uint8", 8, [1]),
    "höhe \u65e5\u672c \U0001d11e \ufffd\ufeff": ("float16", 16, [1]),
    "": ("uint8", 8, [2]),
}
SEPARATORS = {"a\u2028b\u2029": ("uint8", 8, [1])}


def write(file, tensors):
    """Writes tensors whose bytes count 0 ... 250, 0 ... in the order of names."""
    specs, keep, count = {}, [], 0
    for name in sorted(tensors):
        dtype, bits, shape = tensors[name]
        elements = 1
        for d in shape:
            elements *= d
        size = elements * bits // 8
        data = ctypes.create_string_buffer(bytes((count + i) % 251 for i in range(size)), size + 1)
        count += size
        keep.append(data)
        specs[name] = TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(data), data_len=size)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), file), "wb") as f:
        f.write(serialize(specs, {"format": "pt"}))


write("reference.safetensors", TENSORS)
write("separators.safetensors", SEPARATORS)
