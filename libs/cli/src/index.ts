export { startMillrace } from './commands/lifecycle.ts';
export { CommandContext } from './context.ts';
export { figure } from './format.ts';
export { createProgram } from './program.ts';
export { readLocalProject, uploadProject } from './project/upload-project.ts';
export { followRun } from './views/run-display.ts';
export { throwIfFailed } from './views/run-outcome.ts';
