export { type LoadedConfig, loadConfig } from './load.js';
export { type ClientConfig, ClientConfigSchema } from './schema.js';
