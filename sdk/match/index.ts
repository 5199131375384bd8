/** The door of matching: indexes that find, and the policy that decides. */
export * from './exact/index.js';
export * from './photodna/index.js';
export * from './verdict/index.js';
