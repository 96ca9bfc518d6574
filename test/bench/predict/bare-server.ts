/**
 * The floor of `predict`: a Fastify server that parses the same request, asks the same model and answers. Nothing
 * is chosen, checked beyond the model's own check, recorded, counted or traced.
 *
 * `node bare-server.ts <blob directory> <digest of the model package>`; tells its port to the parent.
 */
import { openFsBlobStore, parseDigest } from '@millrace/blobs';
import { loadPredictor, type Row, readPackage } from '@millrace/modeling';
import fastify from 'fastify';

const [directory = '', digest = ''] = process.argv.slice(2);
const maxFileBytes = 2 ** 29;
const blobs = await openFsBlobStore({ directory });
const read = (name: string) => blobs.read(parseDigest(name), maxFileBytes);
const predictor = await loadPredictor(await readPackage(await read(digest), read));

const app = fastify({ logger: false });
app.post<{ Body: { dataframe_records: readonly Row[] } }>('/predict', async ({ body }) => {
  const prediction = await predictor.predict(body.dataframe_records);
  return { predictions: prediction.kind === 'regression' ? prediction.values : prediction.labels };
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
process.once('disconnect', () => process.exit(0));
