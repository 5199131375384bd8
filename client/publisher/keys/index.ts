export {
  KEY_ROLES,
  type KeyFile,
  type KeyRole,
  makeKey,
  readKey,
  readKeyFile,
  type SecretKey,
  writeKey,
  writeTokenKey,
} from './key-file.js';
export { encodeRootBody, type NamedKey, type RootPlan, signRootBody } from './root-body.js';
export { firstRootBody, loadRootPlan, type RootPlanFile, RootPlanSchema } from './root-plan.js';
