/** The server's storage: one seam, several backends. */
export type { StorageDeps } from './deps.js';
export { type Disk, nodeDisk } from './disk.js';
export { checkAborted, damaged } from './failure.js';
export type * from './kernel.js';
export { tableOf } from './keys.js';
export {
  type Engine,
  type EngineRow,
  type LevelOptions,
  type OpenEngine,
  openLevelEngine,
  openLevelKernel,
  openLevelStorage,
} from './level/index.js';
export { seal, unseal } from './sealed.js';
export { createStorage } from './storage.js';
export type * from './types.js';
