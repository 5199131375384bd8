/** The door of the pipeline: objects in, verdicts out, with threads and memory bounded. */
export { CheckingStream } from './checking-stream.js';
export { type CommandHasherOptions, hasherFromCommand } from './command-hasher.js';
export { FilePool, type FilePoolOptions } from './file-pool.js';
export type { ManyOptions } from './many.js';
export type { PerceptualOptions } from './perceptual.js';
export { Pipeline, type PipelineOptions } from './pipeline.js';
export type * from './types.js';
