import { runService } from '@millrace/service-kit';
import { ingest } from './service.ts';

await runService(ingest);
