/** The door of the log store. */
export { segmentBundles } from './bundles.js';
export { LogReader } from './reader.js';
export { decodeSegment, headKey, SegmentState, segmentKey, summariseHead } from './records.js';
export { dropSegment } from './stager.js';
export { LogRepository } from './store.js';
export { nodesAt, partialTiles, TileBuilder } from './tiles.js';
