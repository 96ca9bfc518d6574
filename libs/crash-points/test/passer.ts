import { armCrashPoints, crashPoint } from '@millrace/crash-points';

armCrashPoints('registry', process.env);
for (const number of [1, 2, 3]) {
  crashPoint('before-commit');
  crashPoint('mid-handling', `registry.alias/flights@${number}`);
  process.stdout.write(`${number}\n`);
}
crashPoint('after-commit');
process.stdout.write('end\n');
