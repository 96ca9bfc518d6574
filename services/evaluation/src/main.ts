import { runService } from '@millrace/service-kit';
import { evaluation } from './service.ts';

await runService(evaluation);
