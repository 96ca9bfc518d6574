import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { locateNatsServer } from '@millrace/broker';
import { FailedPrecondition, messageOf } from '@millrace/errors';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

type Check = (context: CommandContext) => Promise<Finding | readonly Finding[]>;

const node: Check = async () => {
  const [major = 0] = process.versions.node.split('.').map(Number);
  return {
    check: 'Node',
    ok: major >= 24,
    found: process.version,
    advice: 'Millrace runs its sources on Node 24; `npx millrace` uses the one that npm installed.',
  };
};

const broker: Check = async () => {
  if (process.env.NATS_URL) return { check: 'NATS', ok: true, found: process.env.NATS_URL };
  try {
    const { path, source } = await locateNatsServer();
    return { check: 'nats-server', ok: true, found: `${path} (${source})` };
  } catch (thrown) {
    const advice = 'Install nats-server 2.11 or newer, or Go, or set NATS_URL to a running server.';
    return { check: 'nats-server', ok: false, found: messageOf(thrown), advice };
  }
};

const minFreeBytes = 1024 ** 3;

const disk: Check = async ({ dataDir }) => {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    return {
      check: 'data directory',
      ok: free > minFreeBytes,
      found: `${dataDir}, ${(free / 1024 ** 3).toFixed(1)} GiB free`,
      advice: 'Free some space, or choose another --data-dir.',
    };
  } catch (thrown) {
    return {
      check: 'data directory',
      ok: false,
      found: messageOf(thrown),
      advice: 'Choose another --data-dir.',
    };
  }
};

const services: Check = async (context) => {
  const client = await context.client();
  try {
    const found = await client.status();
    return Object.entries(found).map(([name, { ready, problems }]) => ({
      check: `service ${name}`,
      ok: ready,
      found: ready
        ? 'ready'
        : Object.entries(problems)
            .map(([part, text]) => `${part}: ${text}`)
            .join('; '),
      advice: `See its log lines: grep '"service":"${name}"' ${context.dataDir}/millrace.log`,
    }));
  } catch (thrown) {
    return { check: 'gateway', ok: false, found: messageOf(thrown), advice: 'Start it: `millrace up`.' };
  }
};

const deadLetters: Check = async (context) => {
  try {
    const open = (await (await context.client()).deadLetters()).filter(
      ({ replayedAt }) => replayedAt === undefined,
    );
    return {
      check: 'dead letters',
      ok: open.length === 0,
      found: `${open.length}`,
      advice: 'Look at them with `millrace dead list`, mend the cause, then `millrace dead replay <number>`.',
    };
  } catch {
    // The gateway's own check has told already that it does not answer.
    return [];
  }
};

const checks: readonly Check[] = [node, broker, disk, services, deadLetters];

const doctor = async (context: CommandContext): Promise<void> => {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...[await check(context)].flat());
  context.output.result(findings, () => {
    for (const { check, ok, found, advice } of findings) {
      context.output.write(`${ok ? pc.green('ok  ') : pc.red('bad ')} ${check}: ${found}`);
      if (!ok && advice !== undefined) context.output.write(pc.dim(`     ${advice}`));
    }
  });
  const bad = findings.filter(({ ok }) => !ok).length;
  if (bad > 0) throw new FailedPrecondition(`${bad} of ${findings.length} checks found something`);
};

export const doctorCommand = (program: Command): void => {
  program
    .command('doctor')
    .description('check everything that Millrace needs and say what to do')
    .action(action(doctor));
};
