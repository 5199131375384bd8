import type { Ed25519 } from './ed25519.js';
import { portableSha256 } from './portable-sha256.js';
import type { Sha256 } from './sha256.js';
import { tweetnaclBackend } from './signature.js';

/** The two primitives every verification needs. All backends give identical answers. */
export interface Suite {
  readonly sha256: Sha256;
  readonly ed25519: Ed25519;
}

/** JavaScript alone; replace either where volume demands it. */
export const portableSuite: Suite = { sha256: portableSha256, ed25519: tweetnaclBackend };
