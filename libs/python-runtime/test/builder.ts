import { PythonEnvironments } from '../src/index.ts';

/** A process that makes an environment, given the directory and the spec as JSON, and prints its progress and its key. */
const [directory = '', spec = ''] = process.argv.slice(2);
const { key } = await PythonEnvironments.open({ directory }).ensure(JSON.parse(spec), {
  onProgress: (line) => console.log(line),
});
console.log(`key ${key}`);
