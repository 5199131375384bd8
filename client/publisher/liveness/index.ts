export { takeHanded } from './handed.js';
export { loadOwnHeads, type OwnHead, ownHeadsFile, rememberOwnHeads } from './own-heads.js';
export { announce, liveSigner, ownHeads, putLiveness, signLiveness } from './sign.js';
export { type Watched, type WatchRound, watchOnce } from './watch.js';
