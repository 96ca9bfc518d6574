import { Invalid } from '@millrace/errors';
import type { StateFile } from '../package/model-definition.ts';

/** A fitted state as the file that the package keeps. Throws `Invalid` on a state that JSON cannot hold. */
export const encodeState = (state: unknown, owner: string): { file: StateFile; bytes: Uint8Array } => {
  if (state instanceof Uint8Array) return { file: 'state.bin', bytes: state };
  const text = toJson(state, owner);
  return { file: 'state.json', bytes: new TextEncoder().encode(text) };
};

const toJson = (state: unknown, owner: string): string => {
  let text: string | undefined;
  try {
    text = JSON.stringify(state, (key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`"${key}" is ${value}`);
      if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
        throw new Error(`"${key}" is a ${value.constructor.name}, which JSON would lose`);
      }
      return value;
    });
  } catch (cause) {
    throw Invalid.field(
      owner,
      `fit returned a state that is neither JSON nor bytes: ${(cause as Error).message}`,
      { cause },
    );
  }
  if (text === undefined) throw Invalid.field(owner, 'fit returned nothing, it must return the fitted state');
  return text;
};

export const decodeState = (file: StateFile, bytes: Uint8Array): unknown =>
  file === 'state.bin' ? bytes : JSON.parse(new TextDecoder().decode(bytes));
