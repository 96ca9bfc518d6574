import { runService } from '@millrace/service-kit';
import { pipeline } from './service.ts';

await runService(pipeline);
