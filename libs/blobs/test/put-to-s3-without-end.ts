/** Run by the crash test: begins an upload of many parts and says so once some have arrived. */
import { openS3BlobStore, parseS3Location } from '../src/index.ts';

const [url = '', copiesDirectory = '', digest = ''] = process.argv.slice(2);
const partBytes = 5 * 1024 * 1024;
const store = await openS3BlobStore({ location: parseS3Location(url), copiesDirectory, partBytes });

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let count = 0; ; count += 1) {
    if (count === 6) process.stdout.write('writing\n');
    if (count > 6) await new Promise((resolve) => setTimeout(resolve, 1_000));
    yield new Uint8Array(partBytes);
  }
}

await store.put(endless(), { expected: digest as `sha256:${string}` });
