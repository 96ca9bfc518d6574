/** Run by the crash test: stores one blob, then puts an endless one and says so once bytes are on disk. */
import { openFsBlobStore } from '../src/index.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: put-without-end.ts <directory>');
const store = await openFsBlobStore({ directory });
await store.put(new Uint8Array([1, 2, 3]));

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let count = 0; ; count += 1) {
    if (count === 4) process.stdout.write('writing\n');
    // From here on the upload hangs, so that the test meets it half done and the disk does not fill.
    if (count > 4) await new Promise((resolve) => setTimeout(resolve, 1_000));
    yield new Uint8Array(64 * 1024);
  }
}

await store.put(endless());
