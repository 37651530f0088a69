import type { Connection } from './client';
import { execute } from './exec';
import { CliError } from '../exit';

const LABEL = 'app.kubernetes.io/name';
/** Seconds that the log which is left to read may take. */
const LIMIT = 300;

/**
 * Makes the standby of a namespace the primary; one that is a primary already stays so.
 *
 * @param database name of the StatefulDatabase
 * @returns what its server says
 * @throws CliError where there is no such server, or it could not be promoted
 */
export async function promoteDatabase(
  connection: Pick<Connection, 'config' | 'client'>,
  namespace: string,
  database: string,
): Promise<string> {
  const core = connection.config.makeApiClient(connection.client.CoreV1Api);
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: `${LABEL}=${database}` });
  const pod = items.find(({ metadata }) => metadata?.deletionTimestamp === undefined)?.metadata?.name;
  if (pod === undefined) throw new CliError(`There is no server '${database}' in namespace ${namespace}.`);
  const place = { namespace, pod, container: 'postgres' };
  const { code, stdout, stderr } = await execute(connection, place, ['postgres-promote', String(LIMIT)]);
  if (code !== 0) throw new CliError(`${namespace}/${pod} was not promoted (${code}): ${(stderr || stdout).trim()}`);
  return stdout.trim();
}
