import type { CertificateOutcome, CertificateState } from '@millrace/certificates';
import { Invalid } from '@millrace/errors';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { time } from '../format.ts';
import { wholeNumber } from '../options.ts';

interface Directory {
  readonly out: string;
}

interface CreateOptions extends Directory {
  readonly services?: readonly string[];
  readonly hosts?: readonly string[];
  readonly days?: number;
}

interface RenewOptions extends Directory {
  readonly all?: boolean;
  readonly days?: number;
  readonly newCa?: boolean;
  readonly retireCa?: boolean;
}

/** Loaded when wanted: few commands make certificates. */
const library = () => import('@millrace/certificates');

/** `a,b c` → `a`, `b`, `c` */
const list = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

const tell = ({ output }: CommandContext, outcomes: readonly CertificateOutcome[]): void =>
  output.result(outcomes, () => {
    output.table(
      ['HOLDER', 'CERTIFICATE'],
      outcomes.map(({ name, outcome }) => [name, outcome]),
      'no certificates',
    );
  });

const create = async (context: CommandContext, { out, ...options }: CreateOptions): Promise<void> => {
  const { createCertificates } = await library();
  const services = options.services ?? (await import('@millrace/service-kit')).serviceNames;
  const { hosts, days } = options;
  tell(
    context,
    await createCertificates({
      directory: out,
      services,
      now: new Date(),
      ...(hosts === undefined ? {} : { hosts }),
      ...(days === undefined ? {} : { days }),
    }),
  );
  context.output.note(
    pc.dim(`${out}/ca/ca.key signs for every holder: keep it where no service runs, or delete it.`),
  );
};

const colourOf = (state: CertificateState): string => {
  if (state === 'good') return pc.green(state);
  return state === 'due' ? pc.yellow(state) : pc.red(state);
};

const show = async ({ output }: CommandContext, { out }: Directory): Promise<void> => {
  const { describeCertificates } = await library();
  const rows = await describeCertificates(out, new Date());
  output.result(rows, () =>
    output.table(
      ['HOLDER', 'KIND', 'STATE', 'EXPIRES', 'DAYS LEFT', 'FURTHER HOSTS'],
      rows.map(({ name, kind, state, expires, daysLeft, hosts }) => [
        name,
        kind,
        colourOf(state),
        time(expires),
        String(daysLeft),
        hosts.join(' '),
      ]),
      'no certificates',
    ),
  );
};

const renew = async (context: CommandContext, names: string[], options: RenewOptions): Promise<void> => {
  const { beginAuthorityChange, endAuthorityChange, renewCertificates } = await library();
  const { out, all = false, days, newCa = false, retireCa = false } = options;
  const { output } = context;
  if (newCa || retireCa) {
    if (newCa && retireCa)
      throw new Invalid('--new-ca and --retire-ca are the first and the last step of a change');
    if (names.length > 0 || all)
      throw new Invalid('a change of the authority is for everybody: leave names and --all');
    if (newCa) await beginAuthorityChange(out, new Date());
    else await endAuthorityChange(out);
    const next = newCa
      ? 'Everybody trusts the old and the new authority. Bring ca.crt and ca.crl to every service, then `certs renew`.'
      : 'The earlier authority is trusted no more. Bring ca.crt and ca.crl to every service.';
    output.result({ changed: newCa ? 'begun' : 'ended' }, () => output.write(next));
    return;
  }
  tell(
    context,
    await renewCertificates({
      directory: out,
      all,
      now: new Date(),
      ...(names.length === 0 ? {} : { names }),
      ...(days === undefined ? {} : { days }),
    }),
  );
};

const revoke = async ({ output }: CommandContext, name: string, { out }: Directory): Promise<void> => {
  const { revokeCertificate } = await library();
  await revokeCertificate(out, name, new Date());
  output.result({ revoked: name }, () =>
    output.write(
      `${name} is revoked. Bring ca.crl to every service, and give ${name} a new one: \`certs renew ${name}\`.`,
    ),
  );
};

export const certificateCommands = (program: Command): void => {
  const certs = program.command('certs').description('development certificates for mutual TLS');
  const withDirectory = (command: Command): Command =>
    command.requiredOption('--out <directory>', 'where the certificates are kept');
  withDirectory(certs.command('create'))
    .description('make an authority and a certificate per service; again: only what is missing or due')
    .option('--services <names>', 'services that get one, separated by commas (default: all)', list)
    .option('--hosts <names>', 'further host names and IP addresses of theirs, separated by commas', list)
    .option('--days <days>', 'validity (default 90)', wholeNumber)
    .action(action(create));
  withDirectory(certs.command('show'))
    .description('who has a certificate, and when it expires')
    .action(action(show));
  withDirectory(certs.command('renew'))
    .argument('[names...]', 'whose (default: everybody)')
    .description('issue anew what is due, with new keys')
    .option('--all', 'also what is not due')
    .option('--days <days>', 'validity (default 90)', wholeNumber)
    .option('--new-ca', 'begin a change of the authority: trust the next one besides the present one')
    .option('--retire-ca', 'end it: trust the earlier one no more')
    .action(action(renew));
  withDirectory(certs.command('revoke'))
    .argument('<name>', 'whose')
    .description('put a certificate on the list that services check (MILLRACE_TLS_CRL)')
    .action(action(revoke));
};
