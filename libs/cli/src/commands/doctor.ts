import { asMillraceError, ErrorCode, FailedPrecondition, messageOf } from '@millrace/errors';
import { clockSkewMs } from '@millrace/installation';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type Finding, type FindingState, fail, ok, warn } from '../doctor/finding.ts';
import { plain } from '../output.ts';

/** What the gateway knows, if it answers. */
const remoteFindings = async (context: CommandContext): Promise<readonly Finding[]> => {
  // Loaded when wanted: other commands do without what these stand on.
  const { judgeDiagnosis } = await import('../doctor/diagnosis-findings.ts');
  const client = await context.client();
  const asked = Date.now();
  try {
    const diagnosis = await client.diagnosis();
    const skewMs = clockSkewMs(Date.parse(diagnosis.time), asked, Date.now());
    return [...judgeDiagnosis(diagnosis, skewMs), ...(await deadLetters(context)), ...(await kafka(context))];
  } catch (thrown) {
    return [gatewayFinding(client.url, thrown)];
  }
};

const gatewayFinding = (url: string, thrown: unknown): Finding => {
  const { code, message } = asMillraceError(thrown);
  if (code === ErrorCode.unauthenticated) {
    return fail('gateway', `${url}: ${message}`, 'Set MILLRACE_TOKEN to a token that it knows.');
  }
  if (code === ErrorCode.denied) {
    return warn(
      'gateway',
      `${url} answers: ${message}`,
      'Look with the token of an admin: others may not see what services stand on.',
    );
  }
  return fail('gateway', `${url}: ${message}`, 'Start it: `millrace up`, or name another with --url.');
};

const deadLetters = async (context: CommandContext): Promise<readonly Finding[]> => {
  const check = 'dead letters';
  try {
    const letters = await (await context.client()).deadLetters(1_000);
    const open = letters.filter(({ replayedAt }) => replayedAt === undefined).length;
    if (open === 0) return [ok(check, 'none')];
    const advice =
      'Look at them with `millrace dead list`, mend the cause, then `millrace dead replay <number>`.';
    return [fail(check, String(open), advice)];
  } catch (thrown) {
    return [fail(check, messageOf(thrown), 'They are on the broker: see the checks of NATS.')];
  }
};

const kafka = async (context: CommandContext): Promise<readonly Finding[]> => {
  try {
    const { kafka: state } = await (await context.client()).bridge.getKafkaState({});
    if (state === undefined || state.forwarding === 'KAFKA_FORWARDING_OFF') return [];
    const found = `${state.brokers.join(', ')}: ${state.lag} events wait, ${state.rejected} were rejected`;
    const isWell = state.forwarding !== 'KAFKA_FORWARDING_WAITING' && state.rejected === 0;
    return [
      isWell
        ? ok('Kafka', found)
        : fail(
            'Kafka',
            found,
            'See `millrace bridge`; mend its brokers or MILLRACE_KAFKA_BROKERS. Events wait meanwhile.',
          ),
    ];
  } catch {
    // That the bridge does not answer is told as a finding of its service.
    return [];
  }
};

const mark: Readonly<Record<FindingState, string>> = {
  ok: pc.green('ok  '),
  warn: pc.yellow('warn'),
  fail: pc.red('fail'),
};

const doctor = async (context: CommandContext): Promise<void> => {
  const { localFindings } = await import('../doctor/local-findings.ts');
  const findings = [
    ...(await localFindings(context.dataDir, process.env)),
    ...(await remoteFindings(context)),
  ];
  context.output.result(findings, () => {
    for (const { check, state, found, advice } of findings) {
      context.output.write(`${mark[state]} ${plain(check)}: ${plain(found)}`);
      if (advice !== undefined) context.output.write(pc.dim(`     ${advice}`));
    }
  });
  const failed = findings.filter(({ state }) => state === 'fail').length;
  if (failed > 0) throw new FailedPrecondition(`${failed} of ${findings.length} checks failed`);
};

export const doctorCommand = (program: Command): void => {
  program
    .command('doctor')
    .description('check everything that Millrace needs and say what to do; ends with 5 when a check fails')
    .action(action(doctor));
};
