import { runService } from '@millrace/service-kit';
import { training } from './service.ts';

await runService(training);
