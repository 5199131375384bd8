/** A hoster's process that syncs and says so; its parent kills it when it likes. argv: address, folder, origin. */
import { openChannel } from '../../../sdk/rpc/index.js';
import { random, SyncClient, TestClock } from './client.js';

const [address = '', dir = '', origin = '', now = ''] = process.argv.slice(2);
const channel = openChannel({ address, tls: 'plaintext-loopback', random });
const clock = new TestClock(Number(now));
const client = await SyncClient.open(origin, clock, [{ name: address, channel }], { dir });
process.stdout.write('open\n');
const { size } = await client.sync();
process.stdout.write(`synced ${size}\n`);
process.exit(0);
