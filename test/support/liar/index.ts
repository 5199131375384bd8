/** A server that lies, the honest publishers it lies about, and the client it lies to. */
export { Liar, type Lies } from './liar.js';
export { ServedLog } from './log.js';
export { type Keys, signedNote, TestPublisher } from './publisher.js';
export { random, Victim } from './victim.js';
export * from './world.js';
