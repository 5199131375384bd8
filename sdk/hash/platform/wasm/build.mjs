// Compiles sha256.as to ../sha256-wasm.ts; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const source = new URL('sha256.as', import.meta.url);
const target = new URL('../sha256-wasm.ts', import.meta.url);

let wasm;
const { error, stderr } = await asc.main(
  ['sha256.ts', '-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--outFile', 'out.wasm'],
  {
    readFile: (name) => (name === 'sha256.ts' ? readFileSync(source, 'utf8') : null),
    writeFile: (name, contents) => {
      if (name === 'out.wasm') wasm = contents;
    },
    listFiles: () => [],
  },
);
if (error !== null || wasm === undefined) throw new Error(`sha256.as does not compile: ${stderr.toString()}`);

const lines = Buffer.from(wasm)
  .toString('base64')
  .match(/.{1,100}/g);
const text = `/** Made by wasm/build.mjs from wasm/sha256.as; do not edit. ${wasm.length} bytes of WebAssembly, base64. */
export const SHA256_WASM = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text)
    throw new Error('sha256-wasm.ts is not current; run wasm/build.mjs');
} else {
  writeFileSync(target, text);
}
