export { type LastGood, type LastGoodOptions, lastGoodStates, requireApproved } from './last-good.js';
export {
  generationAfter,
  namedKeys,
  nextRootBody,
  ROOT_RULES,
  type RootChange,
  type RootRule,
} from './next-root.js';
export {
  loadProposal,
  mergeProposals,
  newProposal,
  proposalEnvelope,
  type RootProposal,
  type Signed,
  saveProposal,
  signedBy,
  signProposal,
} from './proposal.js';
export { type Restated, restate } from './restate.js';
export { proposalCode, proposalSheet } from './sheet.js';
