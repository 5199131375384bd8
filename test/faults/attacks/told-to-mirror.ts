import { expect } from 'vitest';
import { toHex } from '../../../sdk/core/index.js';
import { ORIGIN, type Servers, World } from '../../support/liar/index.js';
import { MirrorRig } from '../../support/mirror-rig.js';
import { type Attack, outcome } from './attack.js';

/** True for a lie that a mirror meets as a client does: one upstream, one list, an error to name. */
export function meetsMirrors({ act, holds, code, moves, options, only }: Attack): boolean {
  if (only === 'client' || act !== undefined || code === undefined || moves === true) return false;
  if (options?.suite !== undefined || options?.mirror === true || options?.both === true) return false;
  return holds === undefined || code === 'EQUIVOCATION';
}

/** The same lie, told to a real mirror over real storage: it keeps, serves and signs nothing of it. */
export async function tellMirror(servers: Servers, row: Attack): Promise<void> {
  const { cosigners } = row.options ?? {};
  const world = await World.make(servers, row.options ?? {});
  const mirror = await MirrorRig.open(world, { ...(cosigners && { cosigners }) });
  try {
    await row.prepare?.(world);
    if (row.fresh !== true) await mirror.follow();
    const [before, signed] = [await digest(mirror), mirror.cosigned.length];
    await row.lie(world);
    expect(await outcome(() => mirror.follow())).toBe(row.code);
    expect(await digest(mirror)).toBe(before);
    expect(mirror.cosigned.length).toBe(signed);
    await afterwards(world, mirror, row);
  } finally {
    await mirror.remove();
    await world.remove();
  }
}

/** An honest upstream brings it up to date; after a fork it goes no further before people have looked. */
async function afterwards(world: World, mirror: MirrorRig, { code, ends, stays }: Attack): Promise<void> {
  if (ends === true || stays === 'cosigned') return;
  await world.confess(false);
  world.more(1, 'two');
  if (code === 'EQUIVOCATION' && mirror.evidence().length > 0) {
    expect(await outcome(() => mirror.follow())).toBe('EQUIVOCATION');
    return;
  }
  await mirror.follow();
  expect(await mirror.standing()).toMatchObject({ size: world.log.size, root: toHex(world.log.at().root) });
}

/** What it serves, and the records behind it. */
async function digest(mirror: MirrorRig): Promise<string> {
  if (mirror.following.book.newest('members/police') === undefined) return '0  ';
  const { size, root } = await mirror.standing();
  const state = mirror.following.engine.lists.get(ORIGIN)?.state;
  const records = state === undefined || state.size === 0 ? '' : toHex(state.recomputeDigest());
  return `${size} ${root} ${records}`;
}
