export { isTokenBackend, type TokenBackend, tokenBackend } from './backend.js';
export { examineModule, type TokenReport } from './doctor.js';
export { pointOf } from './point.js';
export { Token, type TokenOptions } from './token.js';
