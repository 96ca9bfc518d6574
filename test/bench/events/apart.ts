import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { mustHold } from '../harness/benchmark.ts';
import type { Consumer, Effects } from './path.ts';

export type ToConsumer = 'effects' | 'end';
export type FromConsumer = { readonly handled: number } | { readonly effects: Effects };

const script = fileURLToPath(new URL('./consumer-process.ts', import.meta.url));

/** The consuming side in a process of its own, as services are; resolves when it consumes. */
export const startConsumerApart = async (url: string, path: string): Promise<Consumer> => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, url, path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  let handled = 0;
  let onEffects: (effects: Effects) => void = () => {};
  child.on('message', (message: FromConsumer) => {
    if ('handled' in message) handled = message.handled;
    else onEffects(message.effects);
  });
  await Promise.race([once(child, 'message'), ended]);
  mustHold(child.exitCode === null, () => 'the consumer did not start');
  const say = (message: ToConsumer) => void child.send(message);
  return {
    handled: () => handled,
    effects: () =>
      new Promise((resolve) => {
        onEffects = resolve;
        say('effects');
      }),
    close: async () => {
      say('end');
      await ended;
    },
  };
};
