// Writes to a store until it is killed; prints one line for each acknowledged step. Arguments: store module, dir.
import { createHash, randomBytes } from 'node:crypto';

const [module, dir] = process.argv.slice(2);
const { openStore, keyFromCallback } = await import(module);
const ORIGIN = 'police.example/known/sha256/g1';
const KEY = createHash('sha256').update('store key of the tests').digest();
const store = await openStore({
  dir,
  key: keyFromCallback(() => KEY),
  clock: { nowMs: () => 1, monotonicMs: () => 0 },
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
});
const none = new Uint8Array();
const head = (size) => ({
  size,
  root: createHash('sha256').update(String(size)).digest(),
  checkpoint: none,
  anchor: none,
  freshness: none,
  liveness: none,
  state: none,
  range: none,
  sealCounts: none,
  extra: none,
});
const entry = (i) => ({
  ref: `object-${i}`,
  itemId: new Uint8Array(16),
  origin: ORIGIN,
  addIndex: i,
  size: i,
  root: new Uint8Array(32),
  action: 'block',
  timeMs: 1,
  drill: false,
});
const list = store.list(ORIGIN);
const loaded = await list.load();
let size = loaded?.head.size ?? 0;
await loaded?.close();
process.stdout.write(`opened ${size}\n`);
for (;;) {
  size += 1;
  if (size % 7 === 1) {
    const rebuild = await list.beginRebuild({ hashBytes: 32, bucketBits: 0, rowCount: 0 });
    await rebuild.commit(head(size));
  } else {
    const bytes = randomBytes(50_000);
    await list.commitDelta({ bundles: [{ firstIndex: size - 1, count: 1, bytes }], newHead: head(size) });
  }
  process.stdout.write(`list ${size}\n`);
  await store.journal.add([entry(size)]);
  process.stdout.write(`journal ${size}\n`);
}
