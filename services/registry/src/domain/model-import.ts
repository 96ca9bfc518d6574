import { Invalid } from '@millrace/errors';
import type { Task } from '@millrace/modeling';
import type { Json } from '@millrace/store';
import { type Actor, requireReason } from './actor.ts';
import { parseModelName } from './names.ts';

/** What is to be imported, and under what conditions. */
export interface ImportCommand {
  readonly model: string;
  /** Digest of a manifest of the directory. */
  readonly packageDigest: string;
  /** Absent: what the model says or shows. */
  readonly task?: Task;
  readonly classes: readonly string[];
  /** Empty: what the model says. */
  readonly target: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly allowNonValidated: boolean;
  readonly allowDangerousPickles: boolean;
  readonly actor: Actor;
}

/** The stored form. */
export interface ModelImport {
  readonly id: string;
  readonly command: ImportCommand;
  readonly state: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  /** What it does now. */
  readonly message: string;
  /** `<model>/<number>`, once there is one. */
  readonly version?: string;
  readonly error?: Json;
  readonly warnings: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Until then it belongs to the process that does it. */
  readonly leaseUntil: string;
}

const maxDescription = 10_000;
const mostClasses = 1_000;

/** @throws Invalid naming the field */
export const parseImportCommand = (
  command: Omit<ImportCommand, 'task'> & { readonly task: string },
): ImportCommand => {
  const { task, ...rest } = command;
  if (!['', 'regression', 'classification'].includes(task)) {
    throw Invalid.field('task', 'must be regression or classification');
  }
  if (new Set(rest.classes).size !== rest.classes.length) throw Invalid.field('classes', 'names one twice');
  if (rest.classes.length === 1 || rest.classes.length > mostClasses) {
    throw Invalid.field('classes', `must be 2 to ${mostClasses}`);
  }
  if (rest.description.length > maxDescription) {
    throw Invalid.field('description', `is longer than ${maxDescription}`);
  }
  if (rest.allowDangerousPickles) {
    requireReason(rest.actor, 'the model may run anything on the machines that serve it');
  }
  return {
    ...rest,
    model: parseModelName(rest.model, 'model'),
    ...(task === '' ? {} : { task: task as Task }),
  };
};
