// Writes smollm2.json: what the reference library makes of the golden corpus
// with the tokenizer of SmolLM2. To stay small it holds the CRC-32 of each
// text's ids, written "1,2,3", and the decoded text where it is another one.
//
//   npm install @anush008/tokenizers@0.6.0 &&
//   node make_smollm2.js SHARED/pair/side/tokenizer.json SHARED/golden/tokenizers/corpus.json > smollm2.json
const { Tokenizer } = require('@anush008/tokenizers');
const fs = require('fs');
const { crc32 } = require('zlib');

(async () => {
  const [file, corpus] = process.argv.slice(2).map(name => fs.readFileSync(name, 'utf8'));
  const tokenizer = Tokenizer.fromString(file);
  const sums = [], differs = {};
  for (const [i, text] of JSON.parse(corpus).entries()) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    sums.push(crc32(ids.join(',')));
    const decoded = await tokenizer.decode(ids, false);
    if (decoded !== text) differs[i] = decoded;
  }
  console.log(JSON.stringify({ ids_crc32: sums, decode_differs: differs }));
})();
