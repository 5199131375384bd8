import { LogBuilder } from './log-builder.js';

/** Small logs that are committed under test/vectors/logs and rebuilt, byte for byte, whenever tests run. */
export interface LogScenario {
  readonly name: string;
  readonly origin: string;
  readonly entries: Uint8Array;
}

function plain(origin: string, bits: number): LogBuilder {
  const log = new LogBuilder(origin, bits);
  for (let i = 0; i < 12; i++) log.add(`p${i}`, i % 3 === 0 ? { meta: Uint8Array.of(3, 1, 50 + i) } : {});
  log.seal();
  log.withdraw(3);
  log.amend(5, 7);
  log.hold(0, 8);
  log.add('p0', { itemId: new Uint8Array(16).fill(9) });
  log.seal();
  return log;
}

/** Each kind of anomaly, then mismatched SEALs, then recovery. */
function anomalous(): LogBuilder {
  const log = new LogBuilder('police.example/csam/md5/g2', 3);
  log.add('a');
  log.add('b', { hashType: 2, hash: new Uint8Array(20).fill(1) });
  log.raw(Uint8Array.of(1, 1, 0));
  log.seal();
  log.withdraw(1);
  log.withdraw(0);
  log.withdraw(0);
  log.amend(0);
  log.raw(new Uint8Array(1_025).fill(1).with(2, 0));
  log.add('c');
  log.seal({ setCount: 9 });
  log.seal({ setDigest: new Uint8Array(32) });
  log.seal({ batchNo: 1 });
  log.seal({ bucketBits: 4 });
  log.seal({ timeMs: 1 });
  log.seal({ prevSealIndex: -1 });
  log.seal();
  log.add('never sealed');
  return log;
}

function events(): LogBuilder {
  const log = new LogBuilder('monitor.example/notices/events/g1', 0);
  log.leaf({ kind: 'commit', timeMs: log.timeMs, what: 1, commitment: new Uint8Array(32).fill(7) });
  log.add('out of place');
  log.seal();
  log.seal({ setDigest: new Uint8Array(32).fill(1) });
  log.seal();
  return log;
}

function unknownKind(): LogBuilder {
  const log = plain('police.example/csam/sha1/g1', 2);
  log.raw(Uint8Array.of(1, 6));
  log.add('behind');
  log.raw(log.leaves[12]!);
  return log;
}

const scenario = (name: string, log: LogBuilder, erased: readonly number[] = []): LogScenario => ({
  name,
  origin: log.origin.text,
  entries: log.bundle(0, log.size, new Set(erased)),
});

export function logScenarios(): LogScenario[] {
  return [
    scenario('plain-sha256', plain('police.example/csam/sha256/g1', 6)),
    scenario('plain-pdq', plain('hotline.example/csam/pdq/g3', 0)),
    scenario('erased', plain('police.example/csam/sha256/g2', 5), [3]),
    scenario('missing', plain('police.example/csam/photodna/g1', 1), [3, 4]),
    scenario('anomalous', anomalous()),
    scenario('events', events()),
    scenario('unknown-kind', unknownKind()),
  ];
}
