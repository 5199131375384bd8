import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fromHex, toHex, verifyDsse } from '../../../sdk/core/index.js';
import { platformSuite } from '../../../sdk/hash/platform/index.js';
import { parseReport, reportJson, verifyReceipt } from '../../../sdk/telemetry/index.js';

const suite = platformSuite();
interface Vector {
  readonly member_key: string;
  readonly server_key: string;
  readonly report: string;
  readonly receipt: string;
  readonly expected: object;
}
const vector = JSON.parse(readFileSync('test/vectors/telemetry/report.json', 'utf8')) as Vector;
const bytes = (name: Exclude<keyof Vector, 'expected'>) => fromHex(vector[name]);

it('the committed report and its receipt go on verifying and parsing', () => {
  const keys = { keys: [bytes('member_key')], threshold: 1 };
  const body = verifyDsse(suite, 'telemetry', bytes('report'), keys);
  const { report, window } = parseReport(body);
  expect(reportJson(report)).toEqual(vector.expected);
  expect(window.unit).toBe('day');
  const receiptKeys = {
    keysOf: (_member: string, role: string) => (role === 'operator' ? [bytes('server_key')] : []),
  };
  const digest = suite.sha256.digest(body);
  const receipt = verifyReceipt(suite, receiptKeys, 'server', bytes('receipt'), digest);
  expect([receipt.signer, Number(receipt.sequence), receipt.inTime]).toEqual(['members/operator', 1, true]);
  expect(toHex(receipt.reportSha256)).toBe(toHex(digest));
});
