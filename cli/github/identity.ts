import { CliError } from '../exit';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a kubeconfig's `exec` gets: the identity of this job as GitHub signs it, which the API server has to trust. Nothing that lasts
 * is stored anywhere.
 *
 * @param audience whom the token is for
 * @throws CliError where the job may not ask for one (`id-token: write`)
 */
export async function clusterCredential(environment: Environment, audience: string): Promise<string> {
  const [url, secret] = [environment.ACTIONS_ID_TOKEN_REQUEST_URL, environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN];
  if (url === undefined || secret === undefined) {
    throw new CliError('This job may not ask for an identity: it needs `permissions: id-token: write`.');
  }
  const response = await fetch(`${url}&audience=${encodeURIComponent(audience)}`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  if (!response.ok) throw new CliError(`GitHub gave no identity: ${response.status}.`);
  const { value } = (await response.json()) as { readonly value: string };
  return JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: value, expirationTimestamp: expiry(value) },
  });
}

/** When a token ends, so that a client asks for the next one in time. */
function expiry(token: string): string {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp: number };
  return new Date(exp * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}
