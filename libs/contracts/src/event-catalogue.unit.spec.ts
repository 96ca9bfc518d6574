import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asyncApiSchema from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { ModelVersionRegistered, registryEvents } from './generated/registry.ts';
import { allEvents } from './index.ts';

const catalogue = join(import.meta.dirname, '../../../docs/events');
const read = (file: string) =>
  JSON.parse(readFileSync(join(catalogue, file), 'utf8')) as Record<string, object>;

describe('the catalogue of events', () => {
  it('is a valid AsyncAPI 3 document', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    formats.default(ajv);
    const validate = ajv.compile(asyncApiSchema);
    validate(read('asyncapi.json'));
    expect(validate.errors).toBeNull();
  });

  it('has every published event, and no other', () => {
    const types = [...allEvents.keys()].sort();
    expect(Object.keys(read('asyncapi.json').channels ?? {}).sort()).toEqual(types);
    expect(readdirSync(join(catalogue, 'schemas')).sort()).toEqual(
      types.map((type) => `${type}.json`).sort(),
    );
  });

  it('has schemas that compile on their own and accept what the codec writes', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    for (const { type, codec } of allEvents.values()) {
      const validate = ajv.compile(read(`schemas/${type}.json`));
      validate(codec.toJSON(codec.fromJSON({})));
      expect(validate.errors, type).toBeNull();
    }
  });

  it('has schemas that refuse a payload of another shape', () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const { type } = registryEvents.modelVersionRegistered;
    const validate = ajv.compile(read(`schemas/${type}.json`));
    const good = ModelVersionRegistered.toJSON(
      ModelVersionRegistered.fromPartial({ modelVersion: { model: 'flights', version: 3 } }),
    );
    expect(validate(good)).toBe(true);
    expect(validate({ modelVersion: { model: 'flights', version: 'three' } })).toBe(false);
  });
});
