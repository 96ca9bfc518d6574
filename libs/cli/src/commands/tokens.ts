import { Role, type Token } from '@millrace/contracts/gateway';
import { Invalid } from '@millrace/errors';
import { permissions, permissionsOfRole, type RoleName, roles } from '@millrace/rest';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { time, word } from '../format.ts';
import { wholeNumber } from '../options.ts';
import { plain } from '../output.ts';

const messageRoles: Readonly<Record<RoleName, Role>> = {
  viewer: Role.ROLE_VIEWER,
  contributor: Role.ROLE_CONTRIBUTOR,
  approver: Role.ROLE_APPROVER,
  admin: Role.ROLE_ADMIN,
};

const parseRole = (text: string): Role => {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw Invalid.field('role', `"${text}" is none of ${roles.join(', ')}`);
  return messageRoles[role];
};

interface CreateOptions {
  readonly role: string;
  readonly scope: readonly string[];
  readonly days: number;
  readonly description?: string;
  readonly reason?: string;
}

const create = async (context: CommandContext, owner: string, options: CreateOptions): Promise<void> => {
  const { gateway } = await context.client();
  const created = await gateway.createToken({
    owner,
    description: options.description ?? '',
    role: parseRole(options.role),
    scopes: [...options.scope],
    days: options.days,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(created, ({ token, secret }) => {
    context.output.write(secret);
    context.output.note(
      pc.dim(
        `${token?.id} for ${plain(owner)}. This is shown once: export MILLRACE_TOKEN=… where it is used.`,
      ),
    );
  });
};

const stateOf = ({ revokedAt, expiresAt }: Token): string => {
  if (revokedAt !== undefined) return `revoked ${time(revokedAt)}`;
  if (expiresAt === undefined) return 'never ends';
  return `${Date.parse(expiresAt) > Date.now() ? 'ends' : 'ended'} ${time(expiresAt)}`;
};

const list = async (context: CommandContext, options: { all?: boolean }): Promise<void> => {
  const { gateway } = await context.client();
  const { tokens } = await gateway.listTokens({
    includeInactive: options.all ?? false,
    page: { limit: 1_000 },
  });
  context.output.result(tokens, () =>
    context.output.table(
      ['ID', 'OWNER', 'ROLE', 'SCOPES', 'STATE', 'LAST USED', 'DESCRIPTION'],
      tokens.map((token) => [
        token.id,
        plain(token.owner),
        word(token.role, 'ROLE'),
        token.scopes.join(' '),
        stateOf(token),
        time(token.lastUsedAt),
        plain(token.description),
      ]),
      'no tokens: everybody on this machine may do everything',
    ),
  );
};

const revoke = async (context: CommandContext, id: string, options: { reason?: string }): Promise<void> => {
  const { gateway } = await context.client();
  const { token } = await gateway.revokeToken({ id, actor: { reason: options.reason ?? '' } });
  context.output.result(token, () => context.output.write(`${id} is revoked`));
};

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const explanation = `
Roles, and what each may do:
${roles.map((role) => `  ${role.padEnd(12)} ${permissionsOfRole[role].join(', ')}`).join('\n')}

A scope narrows the role: one of ${permissions.join(', ')}, or one of them at one endpoint, such as predict:flights.
The first token has to be an admin's; from then on every request needs one.`;

export const tokenCommands = (program: Command): void => {
  const group = program.command('tokens').description('API tokens of the gateway');
  group
    .command('create <owner>')
    .description('create a token for a person or a program; prints it, once')
    .option('--role <role>', roles.join(', '), 'contributor')
    .option('--scope <scope>', 'narrow the role; repeat it for several', collect, [])
    .option('--days <days>', 'days until it ends; 0: never', wholeNumber, 90)
    .option('--description <text>', 'what it is for')
    .option('--reason <text>', 'why; kept in the audit log')
    .addHelpText('after', explanation)
    .action(action(create));
  group
    .command('list')
    .description('tokens, newest first')
    .option('--all', 'also those that were revoked or have ended')
    .action(action(list));
  group
    .command('revoke <id>')
    .description('refuse a token from now on')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(revoke));
};
