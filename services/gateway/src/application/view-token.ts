import { Role, type Token } from '@millrace/contracts/gateway';
import type { RoleName } from '@millrace/rest';
import type { StoredToken } from '../domain/access.ts';

const roles: Readonly<Record<RoleName, Role>> = {
  viewer: Role.ROLE_VIEWER,
  contributor: Role.ROLE_CONTRIBUTOR,
  approver: Role.ROLE_APPROVER,
  admin: Role.ROLE_ADMIN,
};

/** The name of a role of the contract; `undefined` when none was given. */
export const roleName = (role: Role): RoleName | undefined =>
  (Object.keys(roles) as RoleName[]).find((name) => roles[name] === role);

/** A token as others see it: without its hash. */
export const viewToken = (id: string, { hash: _, role, scopes, ...token }: StoredToken): Token => ({
  id,
  owner: token.owner,
  description: token.description,
  role: roles[role],
  scopes: [...scopes],
  createdBy: token.createdBy,
  createdAt: token.createdAt,
  expiresAt: token.expiresAt,
  revokedAt: token.revokedAt,
  lastUsedAt: token.lastUsedAt,
});
