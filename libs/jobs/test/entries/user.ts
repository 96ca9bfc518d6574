import { pathToFileURL } from 'node:url';
import type { JobContext } from '../../src/index.ts';

/** Runs a user's file: imports it and calls its `main`. */
export default async (file: string, context: JobContext) => {
  context.activity('main of steps/train.ts');
  const module = (await import(pathToFileURL(file).href)) as { main(): unknown };
  return module.main();
};
