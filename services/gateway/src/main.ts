import { runService } from '@millrace/service-kit';
import { gateway } from './service.ts';

await runService(gateway);
