/**
 * Who may connect to the broker and do what, as a file that its configuration includes:
 *
 *   node infra/nats/accounts.ts <directory of keys> > accounts.conf
 *
 * Makes a key for each user that has none in the directory (`<user>.nk`, the seed, readable by its owner alone) and
 * prints only the public halves. A user whose password is in MILLRACE_NATS_PASSWORD_<USER> gets that instead; give a
 * bcrypt hash (`nats server passwd`), not the password.
 */
import { type BusLogin, busLogins, nkeyFiles, type Proof, serverAccounts } from '@millrace/bus';

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('usage: node infra/nats/accounts.ts <directory of keys>\n');
  process.exit(2);
}

const passwordOf = (user: BusLogin): Proof | undefined => {
  const password = process.env[`MILLRACE_NATS_PASSWORD_${user.toUpperCase()}`];
  return password ? { password } : undefined;
};

const keys = await nkeyFiles(directory);
const proofs = Object.fromEntries(busLogins.map((user) => [user, passwordOf(user) ?? keys[user]])) as Record<
  BusLogin,
  Proof
>;

// The server reads JSON as a subset of its own format; an included file has no braces around it.
const { accounts } = serverAccounts(proofs);
process.stdout.write(`accounts: ${JSON.stringify(accounts, null, 2)}\n`);
