/** Mirrors and witnesses: following other servers, carrying their lists byte for byte, cosigning, evidence of forks. */
export { type LoadedMirrorConfig, loadMirrorConfig, MirrorConfigSchema } from './config.js';
export { type Cosigner, openCosigner } from './cosigner.js';
export { type CycleOptions, followForever } from './cycle.js';
export { Equivocations } from './equivocations.js';
export { followList } from './follow.js';
export { keepKnownLines, mergeLines, withCosignature } from './notes.js';
export { RootDocuments, storeOf } from './root-store.js';
export { CarriedStatements } from './statements.js';
export type { Followed, Following } from './types.js';
export { Witness, type Witnessing } from './witness.js';
