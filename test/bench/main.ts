import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { options } from './options.js';
import type { BenchLine, BenchModule } from './types.js';

/** Names that other programs may ask for; each is answered by a line, if only by the reason why not. */
const NAMES =
  'exact-hit exact-miss exact-batch exact-bytes pdq-uniform-1m pdq-uniform-10m pdq-clustered-1m pdq-update pdq-hash ' +
  'sync-loopback sync-40ms sync-delta cold-open query-unary query-batch publish fanout telemetry-ingest agent-upload rss';

const here = dirname(fileURLToPath(import.meta.url));

/** Every file of this folder that exports `benches`. */
async function modules(): Promise<BenchModule[]> {
  const found: BenchModule[] = [];
  for (const name of readdirSync(here).sort()) {
    if (!name.endsWith('.js') || name === 'main.js') continue;
    const exported = (await import(pathToFileURL(join(here, name)).href)) as Partial<BenchModule>;
    if (exported.benches !== undefined) found.push({ ...exported, benches: exported.benches });
  }
  return found;
}

function print(line: BenchLine): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else if ('skipped' in line) {
    process.stdout.write(`${line.bench.padEnd(18)} skipped: ${line.skipped}\n`);
  } else {
    const { bench, n, unit, ours, baseline, theirs, ratio } = line;
    process.stdout.write(`${bench.padEnd(18)} ${n}: ${ours} ${unit}, ${baseline} ${theirs}: ${ratio}×\n`);
  }
}

async function runOne(bench: string, run: () => Promise<BenchLine[]>): Promise<void> {
  try {
    for (const line of await run()) print(line);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${bench}: ${(error as Error).stack ?? String(error)}\n`);
    print({ bench, skipped: `failed: ${(error as Error).message.split('\n')[0]}` });
  }
}

/** Runs what was asked for, one after another; each file cleans up before the next begins. */
async function main(): Promise<void> {
  const asked = new Set(
    options.only ?? [...NAMES.split(' '), ...(await modules()).flatMap((m) => Object.keys(m.benches))],
  );
  for (const { benches, close } of await modules()) {
    for (const [name, run] of Object.entries(benches)) if (asked.delete(name)) await runOne(name, run);
    await close?.();
  }
  for (const bench of asked) print({ bench, skipped: 'there is no such benchmark in this version' });
}

await main();
