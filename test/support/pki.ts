import { randomBytes } from 'node:crypto';
import {
  type Authority,
  type Identity,
  issueMember,
  issueServer,
  makeAuthority,
  type PkiEnvironment,
} from '../../client/pki/index.js';
import type { Clock } from '../../sdk/core/index.js';

/** A clock that tests can move. */
export interface MovableClock extends Clock {
  offsetMs: number;
}

/** The real clock, movable, with real randomness: certificates have to satisfy the TLS stack. */
export function testPki(): { environment: PkiEnvironment; clock: MovableClock } {
  const clock: MovableClock = {
    offsetMs: 0,
    nowMs: () => Date.now() + clock.offsetMs,
    monotonicMs: () => performance.now(),
  };
  return {
    clock,
    environment: { clock, random: { bytes: (length) => new Uint8Array(randomBytes(length)) } },
  };
}

/** A federation's certificates in memory. */
export interface TestFederation {
  readonly federation: string;
  readonly authority: Authority;
  readonly ca: Identity;
  readonly server: Identity;
  /** A certificate for `member`, valid for `days` from the clock's now. */
  member(member: string, days?: number): Promise<Identity>;
}

export async function makeTestFederation(
  environment: PkiEnvironment,
  federation = 'test.example',
): Promise<TestFederation> {
  const { authority, identity: ca } = await makeAuthority(environment, federation);
  const server = await issueServer(environment, authority);
  return {
    federation,
    authority,
    ca,
    server,
    member: (member, days) => issueMember(environment, authority, { federation, member }, days),
  };
}
