import { runService } from '@millrace/service-kit';
import { registry } from './service.ts';

await runService(registry);
