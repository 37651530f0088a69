/** Largest pool that one pod may open, as the systems' descriptions have it. */
const LARGEST_POOL = 20;
/** Connections that pools leave free, for backups, migrations and an operator. */
const SPARE_CONNECTIONS = 10;

/**
 * Connections of one pod, so that all pods at once never exhaust the database.
 * @param maxConnections of the database
 * @param pods most pods of each service that connects; one more of each runs while a rollout replaces them
 */
export function poolSize(maxConnections: number, pods: readonly number[]): number {
  const clients = pods.reduce((sum, count) => sum + count + 1, 0);
  return Math.max(1, Math.min(LARGEST_POOL, Math.floor((maxConnections - SPARE_CONNECTIONS) / clients)));
}
