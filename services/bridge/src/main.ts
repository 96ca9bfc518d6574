import { runService } from '@millrace/service-kit';
import { bridge } from './service.ts';

await runService(bridge);
