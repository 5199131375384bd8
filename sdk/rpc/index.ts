/** The door of the RPC folder: one channel factory, three ways to call, one error mapping. */

export { type ChannelConfig, isLoopback, openChannel, RpcChannel, type TlsIdentity } from './channel.js';
export { fromStatus, type PeerStatus, toStatus, type WireStatus } from './errors.js';
export * from './limits.js';
export type { CallLimits, RpcMethod } from './method.js';
export { readStream, type StreamLimits } from './stream.js';
export { backoffMs, callUnary, pause, type UnaryLimits } from './unary.js';
export { sendStream } from './upload.js';
