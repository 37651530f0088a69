import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { promisify } from 'node:util';

import { KubernetesError, messageOf } from './errors';
import type { Connection, ExecConfig } from './kubeconfig';

const run = promisify(execFile);

interface ExecCredential {
  readonly status?: {
    readonly token?: string;
    readonly expirationTimestamp?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
  };
}

/** What one request needs to prove who it is. */
export interface Identity {
  readonly authorization?: string;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
}

/** Rotated tokens are read again after a minute, as client-go does. */
const TOKEN_FILE_MS = 60_000;

/** The identity of a connection's user: constant, from a file that rotates, or from an exec plugin. */
export class Credentials {
  private current: { readonly identity: Identity; readonly until: number } | undefined;
  private pending: Promise<Identity> | undefined;

  public constructor(private readonly connection: Connection) {}

  /** Forgets what was fetched: the server refused it. */
  public refresh(): void {
    this.current = undefined;
  }

  public async get(): Promise<Identity> {
    if (this.current !== undefined && Date.now() < this.current.until) return this.current.identity;
    this.pending ??= this.fetch().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  private async fetch(): Promise<Identity> {
    const { user } = this.connection;
    const certificate = {
      ...(user.cert === undefined ? {} : { cert: user.cert }),
      ...(user.key === undefined ? {} : { key: user.key }),
    };
    if (user.exec !== undefined) return this.keep(...(await this.execute(user.exec)));
    if (user.tokenFile !== undefined) {
      const token = fs.readFileSync(user.tokenFile, 'utf8').trim();
      return this.keep({ ...certificate, authorization: `Bearer ${token}` }, Date.now() + TOKEN_FILE_MS);
    }
    if (user.token !== undefined) return this.keep({ ...certificate, authorization: `Bearer ${user.token}` }, Infinity);
    if (user.username === undefined) return this.keep(certificate, Infinity);
    const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return this.keep({ ...certificate, authorization: `Basic ${basic}` }, Infinity);
  }

  private keep(identity: Identity, until: number): Identity {
    this.current = { identity, until };
    return identity;
  }

  /** Runs a client-go credential plugin. Its output is never shown: it is a credential. */
  private async execute(exec: ExecConfig): Promise<[Identity, number]> {
    const apiVersion = exec.apiVersion ?? 'client.authentication.k8s.io/v1';
    const cluster = exec.provideClusterInfo
      ? { server: this.connection.server, 'certificate-authority-data': this.connection.ca?.toString('base64') }
      : undefined;
    const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false, cluster } };
    let answer: ExecCredential;
    try {
      const { stdout } = await run(exec.command, [...(exec.args ?? [])], {
        env: {
          ...process.env,
          ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
          KUBERNETES_EXEC_INFO: JSON.stringify(info),
        },
        timeout: 60_000,
      });
      answer = JSON.parse(stdout) as ExecCredential;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const reason =
        error instanceof SyntaxError
          ? 'its output is no JSON'
          : typeof code === 'string' || typeof code === 'number'
            ? `${code}`
            : messageOf(error);
      throw new KubernetesError(`the kubeconfig’s exec plugin ${exec.command} failed: ${reason}`);
    }
    const { token, expirationTimestamp, clientCertificateData: cert, clientKeyData: key } = answer.status ?? {};
    const identity = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    // Half a minute early, so that no request starts with a token that ends under way.
    return [identity, expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp) - 30_000];
  }
}
