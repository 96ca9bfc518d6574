import { runService } from '@millrace/service-kit';
import { deployment } from './service.ts';

await runService(deployment);
