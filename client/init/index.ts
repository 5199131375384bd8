export { type InitOptions, type InitResult, initFederation } from './init.js';
export { COLLECTION, LIST_TYPES } from './plan.js';
export { SELFTEST_FILES } from './selftest.js';
