import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { ClientConfigSchema } from '../../../sdk/config/schema.js';
import { PolicySchema, parsePolicy } from '../../../sdk/match/verdict/policy.js';
import { ServerConfigSchema } from '../../../server/config/schema.js';
import { MirrorConfigSchema } from '../../../server/federation/config.js';

const ROOT = join(import.meta.dirname, '../../..');
const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
const text = page('configuration.md');

/** Names of all fields of a schema, those of objects within it included. */
function fieldsOf(schema: z.ZodType): string[] {
  const { shape, innerType, element, in: input } = schema.def as unknown as Parts;
  const inner = [innerType, element, input].filter((one) => one !== undefined).flatMap(fieldsOf);
  return [...inner, ...Object.entries(shape ?? {}).flatMap(([name, one]) => [name, ...fieldsOf(one)])];
}

interface Parts {
  readonly shape?: Record<string, z.ZodType>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly in?: z.ZodType;
}

const untold = (schema: z.ZodType, told: string): string[] =>
  [...new Set(fieldsOf(schema))].filter((name) => !told.includes(`\`${name}`));

/** Environment variables that the programs read. */
function variables(): string[] {
  const files = ['client', 'sdk', 'server'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(ROOT, folder, name)),
  );
  const found = files.flatMap((file) => readFileSync(file, 'utf8').match(/\bHASHFED_[A-Z0-9_]+/g) ?? []);
  return [...new Set(found)].sort();
}

describe('docs/configuration.md', () => {
  it('reads the fields of a schema, however deep', () => {
    expect(fieldsOf(ServerConfigSchema)).toEqual(expect.arrayContaining(['drain_ms', 'per_second']));
    expect(fieldsOf(PolicySchema)).toEqual(expect.arrayContaining(['max_distance', 'verifications']));
  });

  it.each([
    ['hashfed.json', ClientConfigSchema],
    ['a policy', PolicySchema],
    ['server.json', ServerConfigSchema],
  ])('tells every field of %s', (_name, schema) => {
    expect(untold(schema, text)).toEqual([]);
  });

  it('leaves those of mirror.json to docs/mirrors.md', () => {
    expect(untold(MirrorConfigSchema, text + page('mirrors.md'))).toEqual([]);
  });

  it('tells every environment variable, and none that nothing reads', () => {
    const told = [...new Set(text.match(/\bHASHFED_[A-Z0-9_]+/g))].sort();
    expect(told).toEqual(variables());
  });

  it('shows a policy that is one', () => {
    const [, body] = /```json\n([\s\S]*?)```/.exec(text)!;
    expect(parsePolicy(JSON.parse(body!))).toMatchObject({
      lists: { 'hotline.example': { observe_hours: 0 } },
    });
  });
});
