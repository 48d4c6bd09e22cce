/** Where a service finds its schema, and as whom it logs in. */

export const serviceSchemas = ['orders', 'inventory', 'payments', 'orchestration', 'provider'] as const;
export type ServiceSchema = (typeof serviceSchemas)[number];

/** Password of a service's role: `ORDERS_DB_PASSWORD` and so on; locally the role's own name. */
export function rolePassword(role: ServiceSchema, env: NodeJS.ProcessEnv = process.env): string {
  return env[`${role.toUpperCase()}_DB_PASSWORD`] || role;
}

/** The role's `search_path` is its schema, so plain table names in SQL are the service's own. */
export function databaseUrl(
  role: ServiceSchema,
  at: { DATABASE_HOST: string; POSTGRES_PORT: number; DATABASE_NAME: string },
): string {
  const url = new URL(`postgresql://${at.DATABASE_HOST}:${at.POSTGRES_PORT}/${at.DATABASE_NAME}`);
  url.username = role;
  url.password = encodeURIComponent(rolePassword(role));
  return url.href;
}
