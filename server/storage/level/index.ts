/** The embedded backend: LevelDB, one process. */
export type { Engine, EngineRow, OpenEngine } from './engine.js';
export { openLevelEngine } from './engine.js';
export { type LevelOptions, openLevelKernel, openLevelStorage } from './open.js';
