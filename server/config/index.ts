/** The server's configuration: file, environment, command line, checked as a whole before anything starts. */
export { type LoadedServerConfig, loadServerConfig, type ServerOverrides } from './load.js';
export {
  DEFAULT_LIMITS,
  isLoopback,
  type ServerConfig,
  ServerConfigSchema,
  type ServerLimits,
  splitAddress,
} from './schema.js';
