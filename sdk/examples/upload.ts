import { open } from '../index.js';

/** What the hoster's own application does with an object that must not be shown. */
const unpublish = async (ref: string, action: string): Promise<void> => console.log(`${action} ${ref}`);
const [uploadedFilePath = ''] = process.argv.slice(2);

const hashfed = await open({ config: 'hashfed.json' });
await hashfed.sync();
const { action, observed } = await hashfed.check(uploadedFilePath, { ref: 'object-4711', received: true });
if (!observed && (action === 'block' || action === 'hold')) await unpublish('object-4711', action);
await hashfed.telemetry?.flush();
await hashfed.close();
