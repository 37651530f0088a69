import { generateKeyPairSync, X509Certificate, createPrivateKey } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { runOrThrow } from '../process';

/**
 * Certificates, made with the `openssl` program: Node can read an X.509 certificate but not write one, and a system that
 * can reach a package archive over HTTPS has openssl already. Keys are P-256.
 */
export interface CertificateRequest {
  /** File name without extension. */
  readonly name: string;
  /** For Kubernetes' clients this is the user. */
  readonly commonName: string;
  /** For Kubernetes' clients this is the group. */
  readonly organization?: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** What it may be shown as. @default - `server` where it has names or addresses, else `client` */
  readonly usage?: Usage;
}

type Usage = 'server' | 'client' | 'both';

/** Extended key usages, as openssl names them and by their object identifiers (RFC 5280, 4.2.1.12). */
const USAGES: Readonly<Record<Usage, { readonly names: string; readonly ids: readonly string[] }>> = {
  server: { names: 'serverAuth', ids: ['1.3.6.1.5.5.7.3.1'] },
  client: { names: 'clientAuth', ids: ['1.3.6.1.5.5.7.3.2'] },
  both: { names: 'serverAuth, clientAuth', ids: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] },
};

const usageOf = (request: CertificateRequest): Usage =>
  request.usage ?? (alternativeNames(request).length > 0 ? 'server' : 'client');

/** A certificate and its key, as files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 3650;
const CERTIFICATE_DAYS = 365;
/** A certificate that ends sooner is made anew, so that a cluster that is brought up monthly never meets an expired one. */
const RENEW_BEFORE_DAYS = 30;

const filesOf = (dir: string, name: string): Certificate => ({
  certFile: path.join(dir, `${name}.crt`),
  keyFile: path.join(dir, `${name}.key`),
});

/** Subject alternative names as openssl takes them, and as `X509Certificate.subjectAltName` shows them but for `IP`. */
const alternativeNames = (request: CertificateRequest): readonly string[] => [
  ...(request.dns ?? []).map((name) => `DNS:${name}`),
  ...(request.ips ?? []).map((address) => `IP:${address}`),
];

/** Node calls the extended key usages `keyUsage`; its types say that there always are some. */
const keyUsages = (certificate: X509Certificate): readonly string[] => certificate.keyUsage ?? [];

/** Whether the files hold what is asked for: same subject and names, the key that fits, this authority, and time left. */
export function stillGood(files: Certificate, request: CertificateRequest, authority?: Certificate): boolean {
  try {
    const certificate = new X509Certificate(fs.readFileSync(files.certFile));
    const subject = [
      ...(request.organization === undefined ? [] : [`O=${request.organization}`]),
      `CN=${request.commonName}`,
    ];
    const names = (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.replace('IP Address:', 'IP:'));
    const issuer = new X509Certificate(fs.readFileSync((authority ?? files).certFile));
    return (
      certificate.subject === subject.join('\n') &&
      names.join() === alternativeNames(request).join() &&
      (authority === undefined || keyUsages(certificate).join() === USAGES[usageOf(request)].ids.join()) &&
      certificate.verify(issuer.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(fs.readFileSync(files.keyFile))) &&
      new Date(certificate.validTo).getTime() - Date.now() > RENEW_BEFORE_DAYS * DAY_MS
    );
  } catch {
    return false; // missing, or cut short by a killed run
  }
}

function opensslConfig(request: CertificateRequest, isAuthority: boolean): string {
  const names = alternativeNames(request);
  return [
    '[req]',
    'prompt = no',
    'utf8 = yes',
    'distinguished_name = subject',
    'x509_extensions = extensions',
    '[subject]',
    ...(request.organization === undefined ? [] : [`O = ${request.organization}`]),
    `CN = ${request.commonName}`,
    '[extensions]',
    'subjectKeyIdentifier = hash',
    'authorityKeyIdentifier = keyid',
    ...(isAuthority
      ? ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign']
      : [
          'basicConstraints = critical, CA:FALSE',
          'keyUsage = critical, digitalSignature',
          `extendedKeyUsage = ${USAGES[usageOf(request)].names}`,
        ]),
    ...(names.length === 0 ? [] : [`subjectAltName = ${names.join(', ')}`]),
    '',
  ].join('\n');
}

async function issue(
  dir: string,
  request: CertificateRequest,
  days: number,
  authority?: Certificate,
): Promise<Certificate> {
  const files = filesOf(dir, request.name);
  if (stillGood(files, request, authority)) return files;
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const temporary = { certFile: `${files.certFile}.tmp`, keyFile: `${files.keyFile}.tmp` };
  const config = path.join(dir, `${request.name}.cnf`);
  fs.writeFileSync(config, opensslConfig(request, authority === undefined));
  await runOrThrow(
    [
      ...['openssl', 'req', '-x509', '-config', config, '-days', String(days), '-sha256'],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...(authority === undefined ? [] : ['-CA', authority.certFile, '-CAkey', authority.keyFile]),
      ...['-keyout', temporary.keyFile, '-out', temporary.certFile],
    ],
    { fix: 'install openssl 3' },
  );
  fs.chmodSync(temporary.keyFile, 0o600);
  fs.renameSync(temporary.keyFile, files.keyFile);
  fs.renameSync(temporary.certFile, files.certFile);
  fs.rmSync(config);
  return files;
}

/** A certificate authority in `dir`; made where it is missing or no longer good. */
export const ensureAuthority = (dir: string, name: string, commonName: string): Promise<Certificate> =>
  issue(dir, { name, commonName }, AUTHORITY_DAYS);

/** A certificate for servers and clients in `dir`; made where it is missing, ends soon or was made for other names. */
export const ensureCertificate = (
  dir: string,
  authority: Certificate,
  request: CertificateRequest,
): Promise<Certificate> => issue(dir, request, CERTIFICATE_DAYS, authority);

/** The key pair that signs service account tokens. Kept for the life of the cluster: a new one ends every token. */
export function ensureKeyPair(dir: string, name: string): { readonly publicFile: string; readonly keyFile: string } {
  const files = { publicFile: path.join(dir, `${name}.pub`), keyFile: path.join(dir, `${name}.key`) };
  if (fs.existsSync(files.publicFile)) return files; // written last
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  fs.writeFileSync(files.keyFile, pair.privateKey, { mode: 0o600 });
  fs.writeFileSync(`${files.publicFile}.tmp`, pair.publicKey);
  fs.renameSync(`${files.publicFile}.tmp`, files.publicFile);
  return files;
}
