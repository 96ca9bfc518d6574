import { subjects } from '../subjects.ts';
import { observer, observerRights, type Rights, rightsOf } from './rights.ts';
import { type BusUser, busUsers } from './service-needs.ts';

/** Who connects: the services, the keeper with every right on the streams, and an observer. */
export type BusLogin = BusUser | 'admin' | 'observer';

export const busLogins: readonly BusLogin[] = ['admin', observer, ...busUsers];

/** How a user proves who it is: by a password, best a bcrypt hash of it, or by the public half of an NKey. */
export type Proof = { readonly password: string } | { readonly nkey: string };

/** The account that has the streams. */
const busAccount = 'BUS';

const accountOf = (user: BusLogin): string => (user === 'admin' ? busAccount : user.toUpperCase());

/** How long an answer is waited for, and how many a question may have. */
const answering = { max: 1, expires: '30s' } as const;

/**
 * The server's settings of who may connect and do what: one account for the streams and one for each service, which
 * reach each other only by what is exported and imported by name. A server answers on whatever subject a client asks it
 * to; with accounts that subject is one of the asker's own account, so no answer can be made to look like an event of
 * another service. The users' permissions say the same again, so that what is refused is told.
 */
export const serverAccounts = (proofs: Readonly<Record<BusLogin, Proof>>): Record<string, unknown> => {
  const rights = new Map<BusLogin, Rights>([
    [observer, observerRights],
    ...busUsers.map((user) => [user, rightsOf(user)] as const),
  ]);
  const members = [...rights].map(([user, own]) => [
    accountOf(user),
    memberAccount(user, own, rights, proofs[user]),
  ]);
  return {
    accounts: {
      [busAccount]: {
        jetstream: 'enabled',
        users: [userOf('admin', proofs.admin)],
        exports: [...rights].flatMap(([user, { requests }]) =>
          requests.map((subject) => ({ service: subject, response: 'stream', accounts: [accountOf(user)] })),
        ),
      },
      ...Object.fromEntries(members),
    },
  };
};

const memberAccount = (user: BusLogin, own: Rights, rights: ReadonlyMap<BusLogin, Rights>, proof: Proof) => {
  const askers = [...rights].filter(([, { asks }]) => asks.includes(user as BusUser)).map(([name]) => name);
  const listeners = [...rights].filter(([, { hears }]) => hears.some(({ from }) => from === user));
  return {
    users: [{ ...userOf(user, proof), permissions: permissionsOf(user, own) }],
    exports: [
      ...(askers.length > 0 ? [{ service: refillOf(user), accounts: askers.map(accountOf) }] : []),
      ...own.tells.map((subject) => ({
        stream: subject,
        accounts: listeners.map(([name]) => accountOf(name)),
      })),
    ],
    imports: [
      ...own.requests.map((subject) => ({ service: { account: busAccount, subject } })),
      ...own.asks
        .filter((owner) => owner !== user)
        .map((owner) => ({ service: { account: accountOf(owner), subject: refillOf(owner) } })),
      ...own.hears.map(({ from, subject }) => ({ stream: { account: accountOf(from), subject } })),
    ],
  };
};

const refillOf = (user: BusLogin): string => `${subjects.refill}.${user}`;

const userOf = (user: BusLogin, proof: Proof) =>
  'nkey' in proof ? { nkey: proof.nkey } : { user, password: proof.password };

const permissionsOf = (user: BusLogin, own: Rights) => ({
  publish: { allow: [...own.requests, ...own.asks.map(refillOf), ...own.tells], deny: [...own.never] },
  subscribe: {
    allow: [
      `_INBOX_${user}.>`,
      ...(own.answers ? [`${refillOf(user)} ${user}`] : []),
      ...own.hears.map(({ subject }) => subject),
    ],
  },
  // Answers go to a subject of the server's making, `_R_.…`, never to one that the asker chose.
  ...(own.answers ? { allow_responses: answering } : {}),
});
