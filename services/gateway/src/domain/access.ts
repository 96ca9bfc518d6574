import { Invalid } from '@millrace/errors';
import { type Permission, permissions, permissionsOfRole, type RoleName } from '@millrace/rest';

/** What a token is kept as. Its secret is not: only the SHA-256 of 256 random bits, which nobody can turn back. */
export interface StoredToken {
  readonly owner: string;
  readonly description: string;
  readonly role: RoleName;
  /** Empty: all that the role may do. */
  readonly scopes: readonly string[];
  /** SHA-256 of the secret, 64 hex digits. */
  readonly hash: string;
  readonly createdBy: { readonly name: string; readonly reason: string };
  /** Times are ISO 8601, UTC. */
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
  readonly lastUsedAt?: string | undefined;
}

/** Who makes a request and what they may. */
export interface Principal {
  /** As the audit log names them: `user:ada`. */
  readonly user: string;
  readonly permissions: readonly Permission[];
  readonly scopes: readonly string[];
}

const scopeGrammar = /^([a-z]+)(?::([a-z0-9][a-z0-9._-]{0,127}))?$/;

/**
 * The scopes, each a permission of the role or one narrowed to an endpoint: `predict`, `predict:flights`.
 * @throws Invalid naming the scope
 */
export const checkScopes = (scopes: readonly string[], role: RoleName): readonly string[] =>
  scopes.map((scope, index) => {
    const [, name] = scopeGrammar.exec(scope) ?? [];
    const permission = permissions.find((known) => known === name);
    if (permission === undefined) {
      throw Invalid.field(
        `scopes[${index}]`,
        `"${scope}" is none of ${permissions.join(', ')}, nor one of them with an endpoint, such as predict:flights`,
      );
    }
    if (!permissionsOfRole[role].includes(permission)) {
      throw Invalid.field(`scopes[${index}]`, `a token of the role ${role} can never ${permission}`);
    }
    return scope;
  });

/** Whether somebody may do what needs a permission, at an endpoint where the request names one. */
export const isAllowed = (
  { permissions: held, scopes }: Principal,
  permission: Permission,
  endpoint: string | undefined,
): boolean =>
  held.includes(permission) &&
  (scopes.length === 0 ||
    scopes.includes(permission) ||
    (endpoint !== undefined && scopes.includes(`${permission}:${endpoint}`)));

/** Whether a token still opens anything. */
export const isActive = ({ revokedAt, expiresAt }: StoredToken, now: string): boolean =>
  revokedAt === undefined && (expiresAt === undefined || expiresAt > now);

const tokenGrammar = /^(tok_[0-9a-z]{26})\.([\w-]{43})$/;

/** Id and secret of a token as it is sent, `undefined` when it is none of ours. */
export const parseToken = (text: string): { readonly id: string; readonly secret: string } | undefined => {
  const [, id, secret] = tokenGrammar.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
};
