import { runService } from '@millrace/service-kit';
import { monitoring } from './service.ts';

await runService(monitoring);
