import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { argocdTree } from '../../cli/gitops/argocd';
import type { SealRequest } from '../../cli/seal/run';
import { sealStack } from '../../cli/seal/run';
import type { GitOpsObject } from '../../bridge/gitops';
import { gitOpsObjects } from '../../bridge/gitops';
import type { RenderedObject } from '../../bridge/render';
import { render } from '../../bridge/render';
import { referenceOf, SealedSecretValue, secretId, secretTexts } from '../../bridge/secret-source';
import { LateTokens } from '../../components/late';
import { silent } from '../../local/report';
import { ensureTool } from '../../local/toolchain';
import { platformByTag, readSettings } from '../../stacks/render';
import { sealingOf } from '../../stacks/sealing';
import { readSealed } from '../../stacks/sealed-file';
import type { Settings } from '../../stacks/schema';
import { mapSecrets } from '../../stacks/secret-names';

jest.setTimeout(600_000);

interface Opened {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Readonly<Record<string, string>>;
}

/** The controller's part is played by its own code (local/toolchain/unseal); its certificate is made here. */
describe('what is sealed for prod', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-sealed-'));
  const [key, cert] = [path.join(folder, 'controller.key'), path.join(folder, 'controller.pem')];
  const file = { name: 'sealed/prod.yaml', path: path.join(folder, 'sealed/prod.yaml') };
  let unseal: string;
  let settings: Settings;
  let said: string;

  const seal = async (request: Partial<SealRequest> = {}): Promise<string> => {
    const { targets } = await sealingOf('prod');
    const existing = fs.existsSync(file.path) ? readSealed(file.name, folder) : {};
    return sealStack({ file, targets, existing }, { cert, rotate: [], given: undefined, ...request });
  };
  const platform = () =>
    platformByTag(
      settings,
      mapSecrets(({ name }) => new SealedSecretValue(name)),
    );
  const rendered = (): readonly GitOpsObject[] =>
    gitOpsObjects(platform(), { kind: 'SealedSecret', ciphertexts: readSealed(file.name, folder) });
  const ask = (sealed: unknown) =>
    spawnSync(unseal, {
      input: JSON.stringify({ key: fs.readFileSync(key, 'utf8'), sealed }),
      encoding: 'utf8',
    });
  const opened = (): ReadonlyMap<string, Readonly<Record<string, string>>> =>
    new Map(
      rendered()
        .filter(({ manifest }) => manifest.kind === 'SealedSecret')
        .map(({ manifest }) => {
          const { status, stdout, stderr } = ask(manifest);
          expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
          const { metadata, data } = JSON.parse(stdout) as Opened;
          const texts = Object.entries(data).map(([entry, text]) => [entry, Buffer.from(text, 'base64').toString()]);
          return [`${metadata.namespace}/${metadata.name}`, Object.fromEntries(texts) as Record<string, string>];
        }),
    );

  beforeAll(async () => {
    unseal = await ensureTool('unseal', silent);
    settings = await readSettings('prod');
    const argv = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=sealed-secrets'];
    expect(spawnSync('openssl', [...argv, '-keyout', key, '-out', cert]).status).toBe(0);
    said = await seal();
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Every Secret of the definition as an engine would fill it in, with the values that the ciphertexts hold. */
  function expected(secrets: ReadonlyMap<string, Readonly<Record<string, string>>>): ReadonlyMap<string, object> {
    const app = platform();
    const tokens = LateTokens.of(app);
    const objects = render(app).filter(({ kind }) => kind === 'Secret');
    const name = (token: string): string => referenceOf(tokens, token)?.key ?? '';
    const values = new Map<string, string>();
    for (const object of objects) {
      for (const [entry, text] of Object.entries(secretTexts(object))) {
        const [only, ...more] = LateTokens.split(text);
        if (only?.token === true && more.length === 0)
          values.set(name(only.text), secrets.get(secretId(object))?.[entry] ?? '');
      }
    }
    for (const value of values.values()) expect(value).toMatch(/^[A-Za-z0-9]{32,64}$/);
    const filled = (object: RenderedObject) =>
      Object.fromEntries(
        Object.entries(secretTexts(object)).map(([entry, text]) => [
          entry,
          LateTokens.split(text)
            .map((part) => (part.token ? (values.get(name(part.text)) ?? 'nothing') : part.text))
            .join(''),
        ]),
      );
    return new Map(objects.map((object) => [secretId(object), filled(object)]));
  }

  test('is opened by the controller’s own code into the very Secrets of the definition, URLs and all', () => {
    const secrets = opened();
    expect(secrets.size).toBeGreaterThan(5);
    expect(Object.fromEntries(secrets)).toEqual(Object.fromEntries(expected(secrets)));
  });

  test('opens in its own namespace and under its own name alone', () => {
    const [sealed] = rendered().filter(({ manifest }) => manifest.kind === 'SealedSecret');
    const metadata = sealed?.manifest.metadata as object;
    for (const change of [{ namespace: 'elsewhere' }, { name: 'other' }]) {
      const { status, stderr } = ask({ ...sealed?.manifest, metadata: { ...metadata, ...change } });
      expect(status).toBe(1);
      expect(stderr).toContain('no key could decrypt secret');
    }
  });

  test('shows no value: not in the file, in what the command says, or in a tree for a repository', () => {
    const values = [...opened().values()].flatMap((texts) => Object.values(texts)).filter((text) => text.length >= 32);
    expect(values.length).toBeGreaterThan(10);
    const options = { ...{ stack: 'prod', repository: 'https://git.example.com/p.git', path: '' }, revision: 'main' };
    const tree = argocdTree(rendered(), { ...options, prune: true, selfHeal: true });
    const everywhere = [said, fs.readFileSync(file.path, 'utf8'), ...tree.values()].join('\n');
    for (const value of values) {
      expect(everywhere).not.toContain(value);
      expect(everywhere).not.toContain(Buffer.from(value).toString('base64'));
    }
    expect(fs.readdirSync(path.dirname(file.path))).toEqual(['prod.yaml']);
  });

  test('keeps its values when more is sealed, and --rotate makes one anew, wherever it is read', async () => {
    const before = opened();
    expect(await seal()).toContain(': 0 sealed,');
    expect(Object.fromEntries(opened())).toEqual(Object.fromEntries(before));
    expect(await seal({ rotate: ['noodle-core-redis'] })).toContain(
      '\n  + noodle-core-redis for noodle-core/redis-secret',
    );
    const after = opened();
    expect(after.get('noodle-core/redis-secret')).not.toEqual(before.get('noodle-core/redis-secret'));
    expect(after.get('noodle-core/postgres-secret')).toEqual(before.get('noodle-core/postgres-secret'));
    expect(Object.fromEntries(after)).toEqual(Object.fromEntries(expected(after)));
  });
});
