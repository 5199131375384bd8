/** The gRPC server around the services: transport, identity, limits, errors, health, stopping. */
export type { CallContext } from './context.js';
export { checkMaterial, type TlsMaterial } from './credentials.js';
export { DEVELOPMENT_MEMBER_KEY } from './identify.js';
export {
  type BoundService,
  bind,
  type ClientStreamHandler,
  type Handler,
  type Handlers,
  type ServerStreamHandler,
  type Service,
  type UnaryHandler,
} from './methods.js';
export type { TlsFiles } from './reload.js';
export { type RunningServer, type ShellOptions, startServer, type Transport } from './server.js';
export { runUntilSignal, type SignalSource } from './signals.js';
export { REQUEST_ID_KEY } from './status.js';
