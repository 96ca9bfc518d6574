/** Run by the crash test: commits changes with their events to a registry's store, and dies before any is published. */
import { openFsBlobStore } from '@millrace/blobs';
import { newId } from '@millrace/service-kit';
import { openSqliteStore } from '@millrace/store';
import { approveModelVersion } from '../src/application/approve-model-version.ts';
import { newContext, openCollections } from '../src/application/context.ts';
import { registerModelVersion } from '../src/application/register-model-version.ts';
import { setAlias } from '../src/application/set-alias.ts';
import { ada, grace, registrationOf } from './fixtures.ts';

const [storePath, blobDirectory] = process.argv.slice(2);
if (storePath === undefined || blobDirectory === undefined) throw new Error('usage: <store> <blobs>');

const context = newContext({
  collections: openCollections(await openSqliteStore({ path: storePath, service: 'registry' })),
  blobs: await openFsBlobStore({ directory: blobDirectory }),
  reports: { get: async () => undefined, findForModel: async () => undefined },
  now: () => new Date().toISOString(),
  newId,
});
const model = 'flights';
await registerModelVersion(context, registrationOf({ model }));
await approveModelVersion(context, { model, version: 1, actor: grace, breakGlass: false });
await setAlias(context, { model, alias: 'production', version: 1, expectedVersion: 0, actor: ada });
process.kill(process.pid, 'SIGKILL');
