import { Invalid } from '@millrace/errors';
import type { MessageCodec } from './event-definition.ts';
import shapes from './generated/shapes.json' with { type: 'json' };
import { type JsonCheck, jsonCheck, type Shapes } from './proto-json.ts';

/**
 * A message's codec whose `fromJSON` accepts what is canonical proto JSON of the message and throws `Invalid`, naming the
 * path, on anything else. `message` is its full name: `millrace.step.v1.StepCommand`.
 */
export const strictCodec = <T>(codec: MessageCodec<T>, message: string): MessageCodec<T> => {
  let check: JsonCheck | undefined;
  return {
    encode: (value) => codec.encode(value),
    decode: (bytes) => codec.decode(bytes),
    toJSON: (value) => codec.toJSON(value),
    fromJSON: (json) => {
      // Not before it is needed: a service reads few of the messages that there are.
      check ??= jsonCheck(shapes as Shapes, message);
      const found = check(json);
      if (found === undefined) return codec.fromJSON(json);
      if (found.path === '') throw new Invalid(`${message} ${found.message}`);
      throw Invalid.field(found.path, found.message);
    },
  };
};
