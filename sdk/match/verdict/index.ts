/** The door of verdicts: what to do about an object, given what matched. */
export * from './breaker.js';
export * from './classification.js';
export * from './decide.js';
export * from './describe.js';
export { waitsOf } from './limits.js';
export {
  DEFAULT_POLICY,
  type Evidence,
  type Policy,
  PolicySchema,
  parsePolicy,
  policyText,
  type Rule,
} from './policy.js';
export * from './types.js';
