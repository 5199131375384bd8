export { codeOf, type ListSheet, type ReviewSheet, reviewRequest, type SampleEntry } from './sheet.js';
export { sixWords } from './words.js';
