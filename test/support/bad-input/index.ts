export {
  brokenUpload,
  commitByOneKey,
  commitByStranger,
  prepareBatch,
  publishTooMuch,
  shortUpload,
  uploadMessage,
  withoutCertificate,
} from './calls.js';
export {
  backUpAndGoOn,
  must,
  publishAsHoster,
  publishRows,
  signWithStranger,
  syncAs,
  syncOverBrokenLine,
  syncWith,
} from './commands.js';
export { expiredIdentity, foreignIdentity } from './identities.js';
export { type Outcome, ofCall } from './outcome.js';
export { canMount } from './small-disk.js';
export { BadInputWorld, ORIGIN, randomRows } from './world.js';
