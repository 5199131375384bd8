import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORIGIN, type Servers, startServers, World } from '../../support/liar/index.js';
import { type Attack, type CoreAttack, outcome } from './attack.js';
import { meetsMirrors, tellMirror } from './told-to-mirror.js';

/** Set by the mutation run: after a case passed, its check is taken out and it must fail. */
const MUTANTS = process.env['HASHFED_MUTANTS'] === '1';
/** A client that hangs without its check has noticed nothing either, milliseconds. */
const MUTANT_MS = 6_000;

let servers: Servers;
/** The world of the case that runs. */
let current: World | undefined;

export function attacks(category: string, rows: readonly (Attack | CoreAttack)[]): void {
  describe(category, () => {
    beforeAll(async () => {
      servers = await startServers();
    });
    afterAll(() => servers.stop());
    for (const row of rows) {
      it(row.name, async () => {
        await run(row);
        if (MUTANTS) await failsWithout(row);
      });
      if (!MUTANTS && 'lie' in row && meetsMirrors(row))
        it(`${row.name} (told to a mirror)`, () => tellMirror(servers, row));
    }
  });
}

function run(row: Attack | CoreAttack): Promise<void> {
  return 'core' in row ? runCore(row) : runAttack(row);
}

async function runCore({ core, code }: CoreAttack): Promise<void> {
  expect(await outcome(async () => core())).toBe(code);
}

async function runAttack(row: Attack): Promise<void> {
  const world = await World.make(servers, row.options ?? {});
  current = world;
  try {
    await row.prepare?.(world);
    if (row.fresh !== true) await world.sync();
    const before = await world.victim.digest(ORIGIN);
    await row.lie(world);
    const act = row.act ?? ((it: World) => it.sync());
    expect(await outcome(async () => act(world))).toBe(row.code ?? 'accepted');
    await row.holds?.(world);
    if (row.moves !== true) expect(await world.victim.digest(ORIGIN)).toBe(before);
    if (row.ends !== true) await recover(world, row);
  } finally {
    await world.remove();
  }
}

/** Afterwards an honest server brings the client up to date. */
async function recover(world: World, { stays, adopts }: Attack): Promise<void> {
  if (adopts === true) world.adopt();
  await world.confess(stays === 'cosigned');
  world.more(1, 'two');
  await world.sync();
  const { size, root } = world.log.at();
  const expected = `${size} ${world.log.state.count} ${Buffer.from(root).toString('hex')} `;
  expect(await world.victim.digest(ORIGIN)).toContain(expected);
}

async function failsWithout(row: Attack | CoreAttack): Promise<void> {
  const mutant = globalThis as { hashfedMutant?: string };
  mutant.hashfedMutant = row.mutation;
  try {
    const survived = run(row).then(
      () => true,
      () => false,
    );
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), MUTANT_MS).unref());
    const passed = await Promise.race([survived, late]);
    // One that hangs goes on otherwise.
    await current?.remove().catch(() => undefined);
    expect(passed, `${row.name} passes without ${row.mutation}`).toBe(false);
  } finally {
    delete mutant.hashfedMutant;
  }
}
