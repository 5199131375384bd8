/**
 * The door of the RPC folder: one channel factory, three ways to call, one error mapping. The services'
 * definitions have a door each, `services/*.ts`: together they take some 15 ms to load, and a command calls one or two.
 */

export { type ChannelConfig, isLoopback, openChannel, RpcChannel, type TlsIdentity } from './channel.js';
export { fromStatus, type PeerStatus, toStatus, type WireStatus } from './errors.js';
export * from './limits.js';
export type { CallLimits, RpcMethod } from './method.js';
export { readStream, type StreamLimits } from './stream.js';
export { backoffMs, callUnary, pause, type UnaryLimits } from './unary.js';
export { sendStream } from './upload.js';
