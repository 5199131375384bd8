/** The door of the publisher's side: import, batches, keys, the signer and the online workstation. */

export * from './batch/index.js';
export * from './files/index.js';
export * from './import/index.js';
export * from './keys/index.js';
export * from './liveness/index.js';
export * from './pkcs11/index.js';
export * from './review/index.js';
export * from './rotation/index.js';
export * from './signer/index.js';
export * from './workstation/index.js';
