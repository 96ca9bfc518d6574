import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a mutation may use: the broker's directory, and a copy of its streams from earlier. */
export interface Files {
  readonly storeDir: string;
  readonly olderCopy: string;
}

/** One way in which the files of a broker that does not run are changed. */
export interface Mutation {
  readonly name: string;
  readonly apply: (files: Files) => Promise<void>;
}

export const jetstreamOf = (storeDir: string): string => join(storeDir, 'jetstream');

const streamsOf = async (storeDir: string): Promise<readonly string[]> => {
  const account = join(jetstreamOf(storeDir), 'jetstream', '$G', 'streams');
  return (await readdir(account)).map((name) => join(account, name));
};

const lastBlockOf = async (stream: string): Promise<string | undefined> => {
  const blocks = (await readdir(join(stream, 'msgs'))).filter((name) => name.endsWith('.blk'));
  const last = blocks.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).at(-1);
  return last === undefined ? undefined : join(stream, 'msgs', last);
};

const eachStream =
  (change: (stream: string) => Promise<void>) =>
  async ({ storeDir }: Files): Promise<void> => {
    for (const stream of await streamsOf(storeDir)) await change(stream);
  };

const eachLastBlock = (change: (file: string, bytes: Buffer) => Promise<void>) =>
  eachStream(async (stream) => {
    const block = await lastBlockOf(stream);
    if (block === undefined) return;
    const bytes = await readFile(block);
    if (bytes.length > 0) await change(block, bytes);
  });

const eachConsumer = (change: (directory: string) => Promise<void>) =>
  eachStream(async (stream) => {
    const consumers = join(stream, 'obs');
    const names = await readdir(consumers).catch(() => []);
    for (const name of names) await change(join(consumers, name));
  });

const dropIndex = (stream: string) => rm(join(stream, 'msgs', 'index.db'), { force: true });

/** The list of `faults.md` 2.1b, on every stream at once, and the two that lose everything or go back in time. */
export const mutations: readonly Mutation[] = [
  { name: 'nothing but the kill', apply: async () => {} },
  {
    name: 'last block shorter by a byte',
    apply: eachLastBlock((file, bytes) => truncate(file, bytes.length - 1)),
  },
  {
    name: 'last block cut to half',
    apply: eachLastBlock((file, bytes) => truncate(file, Math.floor(bytes.length / 2))),
  },
  {
    name: 'a bit flipped at a quarter of the block',
    apply: eachLastBlock(async (file, bytes) => {
      const at = Math.floor(bytes.length / 4);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(file, bytes);
    }),
  },
  {
    name: 'a bit flipped, and the index gone',
    apply: eachStream(async (stream) => {
      const block = await lastBlockOf(stream);
      if (block === undefined) return;
      const bytes = await readFile(block);
      const at = Math.floor(bytes.length / 4);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(block, bytes);
      await dropIndex(stream);
    }),
  },
  {
    name: 'meta.inf of the streams emptied',
    apply: eachStream((stream) => writeFile(join(stream, 'meta.inf'), '')),
  },
  {
    name: 'block tail and index gone, consumers kept',
    apply: eachStream(async (stream) => {
      const block = await lastBlockOf(stream);
      if (block !== undefined) await truncate(block, Math.floor((await readFile(block)).length * 0.3));
      await dropIndex(stream);
    }),
  },
  {
    name: 'meta.inf of the consumers cut',
    apply: eachConsumer(async (consumer) => {
      const file = join(consumer, 'meta.inf');
      const bytes = await readFile(file);
      await truncate(file, Math.floor(bytes.length / 2));
    }),
  },
  {
    name: 'store emptied',
    apply: ({ storeDir }) => rm(jetstreamOf(storeDir), { recursive: true }),
  },
  {
    name: 'store rolled back to an older copy',
    apply: async ({ storeDir, olderCopy }) => {
      await rm(jetstreamOf(storeDir), { recursive: true });
      await cp(olderCopy, jetstreamOf(storeDir), { recursive: true });
    },
  },
];
