/**
 * What a request needs: to `read`; to `predict` and send labels; to `run` recipes and log what they give; to `deploy` and
 * tend endpoints; to `approve` versions and move aliases; to `administer`. `public` is for health checks.
 */
export const permissions = ['read', 'predict', 'run', 'deploy', 'approve', 'administer'] as const;
export type Permission = (typeof permissions)[number];
export type RoutePermission = Permission | 'public';

/** Roles, each with all permissions of the ones before it. */
export const roles = ['viewer', 'contributor', 'approver', 'admin'] as const;
export type RoleName = (typeof roles)[number];

const contributor = ['read', 'predict', 'run', 'deploy'] as const;

/** The permissions of each role. */
export const permissionsOfRole: Readonly<Record<RoleName, readonly Permission[]>> = {
  viewer: ['read'],
  contributor,
  approver: [...contributor, 'approve'],
  admin: permissions,
};
