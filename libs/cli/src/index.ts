export { startMillrace } from './commands/lifecycle.ts';
export { CommandContext } from './context.ts';
export { createProgram } from './program.ts';
