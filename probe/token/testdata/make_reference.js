// Writes reference.json: small tokenizer files, texts, and what the reference
// library makes of them. It needs Node and the Rust library tokenizers 0.22.2:
//
//   npm install @anush008/tokenizers@0.6.0 && node make_reference.js > reference.json
const { Tokenizer } = require('@anush008/tokenizers');

function alphabet() {
  const symbols = [];
  let other = 256;
  for (let b = 0; b < 256; b++) {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    symbols.push(String.fromCharCode(printable ? b : other++));
  }
  return symbols;
}

const pairs = ['h e', 'l l', 'he ll', 'hell o', 'Ġ hello', 'a b', 'b c', 'ab c', 'Ġ a', 'Ġ Ġ', 'ĠĠ ĠĠ', '1 2', 'Ã ©', 'Ġa b'];

function file(change) {
  const vocab = {};
  alphabet().concat(pairs.map(p => p.replace(' ', '')), ['lo', 'Ġab12']).forEach((t, i) => { vocab[t] = i; });
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const f = {
    version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
    pre_tokenizer: { ...level }, post_processor: { ...level }, decoder: { ...level },
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: null,
      fuse_unk: false, byte_fallback: false, vocab, merges: [...pairs] },
  };
  let next = Object.keys(vocab).length;
  const add = (content, options) => f.added_tokens.push({ id: content in vocab ? vocab[content] : next++, content,
    single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...options });
  change(f, add);
  return f;
}

const level = (prefix, regex) => ({ type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: false, ...(regex === undefined ? {} : { use_regex: regex }) });
const digits = (individual) => ({ type: 'Digits', individual_digits: individual });
const sequence = (...steps) => ({ type: 'Sequence', pretokenizers: steps });

const cases = {
  plain: () => {},
  'no pattern': f => { f.pre_tokenizer = level(false, false); },
  'prefix space': (f, add) => { f.pre_tokenizer = level(true); add('<x>'); },
  'prefix space without pattern': (f, add) => { f.pre_tokenizer = sequence(digits(false), level(true, false)); add('<x>'); },
  'digits one by one': f => { f.pre_tokenizer = sequence(digits(true), level(false)); },
  'digits in runs': f => { f.pre_tokenizer = sequence(sequence(digits(false)), level(false)); },
  'ignore merges': f => { f.model.ignore_merges = true; f.model.merges = pairs.map(p => p.split(' ')).slice(0, 3); },
  'merge twice': f => { f.model.merges = ['#version: 0.2', ...pairs, 'a b', 'h e']; },
  'unknown token and old file': f => { f.model.unk_token = '<unk>'; f.model.fuse_unk = true; delete f.model.type; f.post_processor = null; },
  'strip left': (f, add) => { add('<x>', { lstrip: true }); add('<xx>'); },
  'strip right': (f, add) => { add('<x>', { rstrip: true }); add(' '); add('<xx>', { rstrip: true, special: false }); },
  'strip both': (f, add) => { add('<x>', { lstrip: true, rstrip: true }); add('<xx>', { lstrip: true, normalized: true }); },
  'single word': (f, add) => { add('abc', { single_word: true }); add('b'); add('<x>', { single_word: true }); add('bca'); },
  'two passes': (f, add) => { add('<x>', { normalized: true }); add('a<', { normalized: false }); add('bc', { normalized: true, single_word: true }); add('<'); },
  'longest first': (f, add) => { add('<x>'); add('<x><x>'); add('<'); add('  '); add('    ', { normalized: true }); },
  'token of the vocabulary': (f, add) => { add('hello', { special: false }); add('Ġ'); add('é x'); add('ab', { single_word: true }); },
};

let seed = 1;
function random(n) { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >> 8) % n; }

const bits = ['<x>', '<xx>', '<x><x>', '<x> <x>', 'bca', 'ⓐabc', 'xabc', 'abc\u0301', 'abc_',  '<', 'abc', 'ab', 'hello', ' hello', ' ', '  ', '    ', '\n', '\t', '\u0085', '\u00a0', '\u3000', '1', '12',
  '²', '٣', 'Ⅷ', "'s", "'ll", "'", '.', '_', '-', 'é', 'é x', '日本', '\u0301', '\u200d', 'ⓐ', '🙂', '\ufffd', '\u0000', 'Ġ', 'x'];
function text() {
  let s = '';
  for (let n = random(9); n > 0; n--) s += bits[random(bits.length)];
  return s;
}

(async () => {
  const out = [];
  for (const [name, change] of Object.entries(cases)) {
    const f = file(change);
    const tokenizer = Tokenizer.fromString(JSON.stringify(f));
    const texts = ['', ' ', ...bits, ...Array.from({ length: 120 }, text)];
    const ids = [], decoded = [];
    for (const t of texts) {
      const encoding = await tokenizer.encode(t, null, { addSpecialTokens: false });
      ids.push(encoding.getIds());
      decoded.push(await tokenizer.decode(encoding.getIds(), false));
    }
    // Ids that no text encodes to: bytes out of order.
    const broken = Array.from({ length: 60 }, () => Array.from({ length: 1 + random(7) }, () => [random(256), 226, 130, 240, 159, 146, 237, 160][random(8)]));
    const symbols = alphabet();
    const brokenIds = broken.map(bytes => bytes.map(b => f.model.vocab[symbols[b]]));
    const brokenDecoded = [];
    for (const b of brokenIds) brokenDecoded.push(await tokenizer.decode(b, false));
    out.push({ name, file: f, texts, ids, decoded, broken: brokenIds, broken_decoded: brokenDecoded });
  }
  console.log('[' + out.map(c => JSON.stringify(c)).join(',\n') + ']');
})();
