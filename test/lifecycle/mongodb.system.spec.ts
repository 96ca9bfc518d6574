import { startMongoServer } from '@millrace/store/mongo-server';
import { lifeOfAModel } from './life-of-a-model.ts';

lifeOfAModel(async () => {
  const server = await startMongoServer();
  return { env: { MILLRACE_STORE_URL: server.url }, stop: () => server.kill() };
});
