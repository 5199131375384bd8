import {
  CompactRange,
  compareHeads,
  compareStatement,
  encodeStateHead,
  equalBytes,
  type HashfedError,
  keysFor,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  settingsOf,
  toHex,
} from '../../sdk/core/index.js';
import { type Offer, pullEntries, RangeBuilder } from '../../sdk/sync/index.js';
import type { ResidentList } from '../log/index.js';
import type { Head, Segment } from '../storage/index.js';
import { type AnchorNote, anchorFor } from './anchor.js';
import { findContradiction } from './fork-proof.js';
import { keepKnownLines, mergeLines, withCosignature } from './notes.js';
import { asHashfed, type Failed, gatherOffers } from './offers.js';
import type { Followed, Following } from './types.js';

/** Errors that no other upstream mends: a fork, our own disk, our own age. */
const FINAL = new Set(['EQUIVOCATION', 'STORAGE_FAILED', 'CANCELLED', 'UPGRADE_REQUIRED', 'INTERNAL']);

/**
 * Brings one list up to what the best upstream shows: verified as the SDK verifies, the same bytes, one commit; then,
 * once that is durable, cosigned. A wrong upstream is passed over; a fork is kept as evidence and ends it. The last
 * good state stays whatever happens. Throws the failure where no upstream helped.
 */
export async function followList(
  following: Following,
  origin: string,
  signal: AbortSignal,
): Promise<Followed> {
  const { engine, equivocations } = following;
  const from = engine.lists.get(origin)?.head?.size ?? 0;
  equivocations.refuseForked(origin);
  try {
    const { offers, failed } = await gatherOffers(following, origin, signal);
    for (const { error } of failed) if (isFinal(error)) throw error;
    const failures = await takeBest(following, origin, offers, failed, signal);
    const size = engine.lists.get(origin)?.head?.size ?? 0;
    return {
      origin,
      from,
      size,
      failures: failures.map(({ source, error }) => ({ source: source.name, code: error.code })),
    };
  } catch (error) {
    await equivocations.keepFound(origin, error);
    throw error;
  }
}

/** What an upstream merely claims ends nothing: it may lie. */
const isFinal = ({ code, detail }: HashfedError): boolean => FINAL.has(code) && detail.claimed !== true;

async function takeBest(
  following: Following,
  origin: string,
  offers: readonly Offer[],
  failed: readonly Failed[],
  signal: AbortSignal,
): Promise<readonly Failed[]> {
  const failures = [...failed];
  for (const offer of offers) {
    try {
      await takeOffer(following, origin, offer, signal);
      return failures;
    } catch (cause) {
      const error = asHashfed(cause);
      if (isFinal(error) || signal.aborted) throw error;
      if (error.code === 'ROOT_MISMATCH') await refuseProvenFork(following, origin, offer, signal);
      failures.push({ source: offer.source, error });
    }
  }
  const [first] = failures;
  if (first !== undefined) throw first.error;
  return failures;
}

/** Wrong bytes are the upstream's doing; a signed tree that does not begin with ours is the publisher's key's. */
async function refuseProvenFork(
  { engine, equivocations }: Following,
  origin: string,
  offer: Offer,
  signal: AbortSignal,
): Promise<void> {
  const head = engine.lists.get(origin)?.head;
  if (head === undefined || !equivocations.isFirstLook(offer.source.name, offer.checkpoint.root)) return;
  const evidence = await findContradiction(engine, head, offer, signal).catch(() => undefined);
  if (evidence !== undefined) await equivocations.keepProven(evidence);
  equivocations.refuseForked(origin);
}

async function takeOffer(
  following: Following,
  origin: string,
  offer: Offer,
  signal: AbortSignal,
): Promise<void> {
  const { engine, statements } = following;
  const list = engine.lists.ensure(origin);
  const { checkpoint } = offer;
  for (const { statement, envelope } of statements.held(origin))
    compareStatement(statement, checkpoint, [envelope, checkpoint.note]);
  const { head } = list;
  const known = head && { ...head, body: new Uint8Array(), twoKey: false, cosigners: [] };
  if (known === undefined || compareHeads(known, checkpoint) === 'newer')
    await extend(following, list, offer, signal);
  else await engine.turns.run(() => refreshNotes(following, list, offer));
  await statements.carry(origin, offer);
  await engine.turns.run(() => cosign(following, list));
}

/** Bytes first, unseen by anybody; then judged as they were read back; then one commit. */
async function extend(
  following: Following,
  list: ResidentList,
  offer: Offer,
  signal: AbortSignal,
): Promise<void> {
  const { engine } = following;
  const anchor = await anchorFor(engine, list, offer);
  const stager = await engine.storage.logs.stage(list.origin);
  try {
    const from = list.head?.size ?? 0;
    const range = { origin: list.origin, from, to: offer.checkpoint.size, signal };
    for await (const { bytes } of pullEntries(following.deps, offer.source, range))
      await stager.append(bytes);
    const segment = await stager.finish();
    await engine.turns.run(() => commit(following, list, offer, anchor, segment));
  } catch (error) {
    await stager.abort().catch(() => undefined);
    throw error;
  }
}

async function commit(
  following: Following,
  list: ResidentList,
  offer: Offer,
  anchor: AnchorNote,
  { id }: Segment,
): Promise<void> {
  const { engine } = following;
  const { sha256 } = engine.suite;
  const { checkpoint, root } = offer;
  const { head, state, origin } = list;
  const tree =
    head === undefined ? CompactRange.empty(sha256) : CompactRange.from(sha256, head.size, head.compactRange);
  const goal = { settings: settingsOf(root, origin), target: checkpoint, anchor };
  const builder = new RangeBuilder({ state, tree, held: undefined }, goal);
  try {
    for await (const { first, count, bytes } of engine.storage.logs.readSegment(id))
      builder.add({ firstIndex: first, count, bytes });
    const { staging, range } = builder.finish();
    const note = keepKnownLines(engine.suite, checkpoint.note, carriedKeys(following, offer, origin));
    const anchorNote = anchor.size === checkpoint.size ? note : anchor.note;
    const part = { origin, segments: [id], size: checkpoint.size, root: checkpoint.root, note };
    const encoded = encodeStateHead(range.head);
    const [next] = await engine.storage.logs.commit([{ ...part, anchor: anchorNote, state: encoded }]);
    staging.commit();
    settle(following, list, next!, anchor.size);
  } catch (error) {
    builder.discard();
    throw error;
  }
}

/** The publisher's keys and the cosigners that the configuration names, ourselves not among them. */
function carriedKeys({ deps, cosigner }: Following, { root }: Offer, origin: string): NoteKey[] {
  const keys = keysFor(root, origin);
  const own = cosigner === undefined ? '' : toHex(cosigner.key.publicKey);
  const all = [
    keys.sequencing,
    ...keys.approve,
    ...keys.former.map((one) => one.key),
    ...deps.cosigners.keys,
  ];
  return all.filter((key) => toHex(key.publicKey) !== own);
}

/** The same size: perhaps a note with more signatures, or an anchor cosigned late. */
async function refreshNotes(following: Following, list: ResidentList, offer: Offer): Promise<void> {
  const { engine } = following;
  const { head } = list;
  if (head === undefined) return;
  const offered = keepKnownLines(
    engine.suite,
    offer.checkpoint.note,
    carriedKeys(following, offer, list.origin),
  );
  const note = mergeLines(head.note, offered);
  const found = await anchorFor(engine, list, offer).catch(() => undefined);
  const anchor = found === undefined ? head.anchor : found.size === head.size ? note : found.note;
  const later = found !== undefined && found.size > sizeOfNote(head.anchor);
  if (equalBytes(note, head.note) && !later) return;
  const next = await engine.storage.logs.replaceNotes(head, later ? { note, anchor } : { note });
  if (next !== undefined) settle(following, list, next, later ? found.size : 0);
}

function sizeOfNote(note: Uint8Array): number {
  return note.length === 0 ? 0 : parseCheckpoint(parseNote(note).body).size;
}

function settle({ engine }: Following, list: ResidentList, head: Head, anchorSize: number): void {
  list.head = head;
  if (anchorSize > 0) list.state.forgetBelow(anchorSize);
  engine.lists.changed(list.origin);
}

/**
 * Says "held here" of what is durable here, and of nothing else: the head is read from the store, and a store keeps
 * one log. Two servers that share a key could still be shown two, so each has its own.
 */
async function cosign(following: Following, list: ResidentList): Promise<void> {
  const { engine, cosigner, equivocations } = following;
  const { head } = list;
  if (cosigner === undefined || head === undefined) return;
  equivocations.refuseForked(list.origin);
  const stored = await engine.storage.logs.head(list.origin);
  if (stored === undefined || stored.size !== head.size || !equalBytes(stored.root, head.root)) return;
  const note = withCosignature(engine.suite, head.note, cosigner, engine.clock.nowMs());
  if (equalBytes(note, head.note)) return;
  const anchored = equalBytes(head.anchor, head.note);
  const next = await engine.storage.logs.replaceNotes(head, anchored ? { note, anchor: note } : { note });
  if (next !== undefined) settle(following, list, next, 0);
}
