import { createHash, randomBytes } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { parseCheckpoint, parseNote, toHex } from '../../../sdk/core/index.js';
import { callUnary, openChannel } from '../../../sdk/rpc/index.js';
import { keyFromFile, openStore } from '../../../sdk/store/index.js';
import { ListReplica } from '../../../sdk/sync/index.js';
import { runCommand } from '../federation-process.js';
import { random, suite, TestFederation } from '../server/federation.js';
import { TestPublisher } from '../server/publisher.js';
import { type Outcome, ofCommand } from './outcome.js';
import { mountSmallDisk, type SmallDisk } from './small-disk.js';

const MAIN = join(process.cwd(), 'dist/client/main.js');
/** The list that calls publish to; commands publish as the hotline, so that neither passes the other. */
export const ORIGIN = 'police.example/known/sha256/g1';
const HOTLINE = 'hotline.example/known/sha256/g1';
const systemClock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const DISK_MB = 48;

/** A federation made by init: its server process, a synced hoster, two publishers, and small disks where possible. */
export class BadInputWorld {
  readonly federation: TestFederation;
  /** The stores of server and hoster lie there. */
  readonly disks: { readonly server: SmallDisk; readonly hoster: SmallDisk } | undefined;
  police!: TestPublisher;
  #storage: string;

  private constructor(federation: TestFederation, disks: BadInputWorld['disks']) {
    this.federation = federation;
    this.disks = disks;
    this.#storage = join(disks?.server.path ?? federation.folder, 'data');
  }

  static async make(): Promise<BadInputWorld> {
    const [server, hoster] = [mountSmallDisk(DISK_MB), mountSmallDisk(DISK_MB)];
    const disks = server && hoster && { server, hoster };
    const world = new BadInputWorld(await TestFederation.make(), disks);
    if (disks) await world.configure('hoster-a', '"dir": "store"', `"dir": "${disks.hoster.path}/store"`);
    await world.start();
    world.police = await TestPublisher.open(world.federation, 'police', ORIGIN);
    await world.police.publish(world.police.adds(60), 'two');
    await world.publish(60);
    const { exit } = await world.command('hoster-a', 'sync');
    if (exit !== 0) throw new Error(`the first sync ended with ${exit}`);
    return world;
  }

  get folder(): string {
    return this.federation.folder;
  }

  get address(): string {
    return this.federation.server!.address;
  }

  member(name: string, file = 'hashfed.json'): string {
    return join(this.folder, 'members', name, file);
  }

  /** Starts the server and tells every member where it listens. */
  async start(storage = this.#storage): Promise<void> {
    const { address } = await this.federation.start({ HASHFED_STORAGE: `level:${storage}` });
    for (const name of await readdir(join(this.folder, 'members')))
      await this.configure(name, /127\.0\.0\.1:\d+/g, address);
    if (this.police) this.police = await this.police.reconnect(this.federation, 'police');
  }

  async stopServer(): Promise<void> {
    await this.federation.server?.end('SIGTERM');
  }

  async restart(storage?: string): Promise<void> {
    await this.stopServer();
    await this.start(storage);
  }

  /** Copies the store of the stopped server. */
  async backUp(): Promise<string> {
    const copy = `${this.#storage}-old`;
    await cp(this.#storage, copy, { recursive: true });
    return copy;
  }

  async configure(name: string, what: string | RegExp, by: string): Promise<void> {
    const text = await readFile(this.member(name), 'utf8');
    await writeFile(
      this.member(name),
      text.replaceAll(what, () => by),
    );
  }

  async configureAs(name: string, file: string, text: string): Promise<string> {
    await writeFile(this.member(name, file), text);
    return file;
  }

  command(name: string, ...args: readonly string[]): Promise<Outcome> {
    return this.commandAs(name, 'hashfed.json', ...args);
  }

  /** Runs a command under another configuration of the member. */
  async commandAs(name: string, config: string, ...args: readonly string[]): Promise<Outcome> {
    return ofCommand(
      await runCommand(process.execPath, [MAIN, ...args, '--config', this.member(name, config)]),
    );
  }

  /** A source file and its map, as `publish` and `import` take them. */
  async source(rows: readonly string[]): Promise<string[]> {
    const columns = { item_id: 'id', md5: 'md5', sha256: 'sha256', classification: 'class' };
    const map = join(this.folder, 'map.json');
    await writeFile(
      map,
      JSON.stringify({ format: 1, columns, classifications: { a: { scheme: 1, code: 1 } } }),
    );
    const file = join(this.folder, `${toHex(random.bytes(4))}.csv`);
    await writeFile(file, ['id,md5,sha256,class', ...rows, ''].join('\n'));
    return [file, '--map', map, '--collection', 'known'];
  }

  async publish(count: number): Promise<Outcome> {
    return this.command('hotline', 'publish', ...(await this.source(randomRows(count))));
  }

  /** Everything that must not have changed: what the server serves, and what the hoster holds. */
  async digest(): Promise<string> {
    const state = [...(await this.served()), ...(await this.held())];
    return createHash('sha256').update(state.join('\n')).digest('hex');
  }

  async served(): Promise<string[]> {
    const [ca, certificate, key] = await Promise.all(
      ['ca.pem', 'member.pem', 'member.key'].map((name) => readFile(this.member('hoster-b', name))),
    );
    const tls = { ca: ca!, certificate: certificate!, key: key! };
    using channel = openChannel({ address: this.address, tls, serverName: 'localhost', random });
    const lines: string[] = [];
    for (const origin of [ORIGIN, HOTLINE]) {
      const options = { deadlineMs: 20_000 };
      const { checkpoint } = await callUnary(channel, ListServiceService.getCheckpoint, { origin }, options);
      const { size, root } = parseCheckpoint(parseNote(checkpoint!.note).body);
      lines.push(`served ${origin} ${size} ${toHex(root)}`);
    }
    return lines;
  }

  /** By list: entries, root, records and set digest, recomputed from what lies in the hoster's store. */
  async held(): Promise<string[]> {
    const text = await readFile(this.member('hoster-a'), 'utf8');
    const { lists } = JSON.parse(text) as { lists: { origin: string }[] };
    await using store = await openStore({
      dir: join(this.disks?.hoster.path ?? this.member('hoster-a', ''), 'store'),
      key: keyFromFile(this.member('hoster-a', 'store.key')),
      ...{ clock: systemClock, random, readOnly: true },
    });
    const lines: string[] = [];
    for (const { origin } of lists) {
      const { size, root, state } = await ListReplica.open(store, suite, origin);
      lines.push(`held ${origin} ${size} ${toHex(root)} ${state.count} ${toHex(state.setDigest())}`);
    }
    return lines;
  }

  async remove(): Promise<void> {
    await this.federation.remove();
    this.disks?.server.unmount();
    this.disks?.hoster.unmount();
  }
}

export const randomRows = (count: number): string[] =>
  Array.from({ length: count }, () => `,,${randomBytes(32).toString('hex')},a`);
