import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    size: { type: 'string' },
    rounds: { type: 'string' },
  },
});

function numbers(text: string): number[] {
  const all = text.split(',').map(Number);
  if (all.some((n) => !Number.isSafeInteger(n) || n < 1)) throw new Error(`not a list of sizes: ${text}`);
  return all;
}

/** `--json`, `--only NAME[,NAME]`, `--size N[,N]` (entries, where a benchmark has a size), `--rounds N` (≥ 5). */
export const options = {
  json: values.json,
  only: values.only?.split(','),
  sizes: values.size === undefined ? undefined : numbers(values.size),
  rounds: Math.max(5, values.rounds === undefined ? 7 : Number(values.rounds)),
};
