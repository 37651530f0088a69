import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { parseAllDocuments } from 'yaml';

import { packLibrary } from '../../cli/package/pack';
import { ApiServer } from '../support/api-server';
import { Engine } from '../support/engine';

jest.setTimeout(400_000);

const EXAMPLES = path.resolve(__dirname, '../../examples');

describe('the package, as npm packs it', () => {
  let tarball: string;
  const folders: string[] = [];

  const npm = (folder: string, ...args: string[]): string =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'], {
      cwd: folder,
      encoding: 'utf8',
    });

  /** Copies an example into a folder, installs it and the tarball, and compiles it. */
  function install(example: string, folder: string): void {
    fs.cpSync(path.join(EXAMPLES, example), folder, { recursive: true });
    npm(folder, 'install');
    npm(folder, 'install', '--no-save', tarball);
    npm(folder, 'run', 'build');
  }

  const emptyFolder = (): string => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-example-'));
    folders.push(folder);
    return folder;
  };

  beforeAll(() => {
    tarball = packLibrary();
  });

  afterAll(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  test('holds the library with declarations and source maps, and none of the tools', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    const tops = new Set(files.map((file) => file.split('/')[1]));
    expect([...tops].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'bridge', 'charts', 'components', 'package.json'].sort(),
    );
    for (const entry of ['components', 'charts', 'bridge']) {
      for (const end of ['js', 'd.ts', 'js.map']) expect(files).toContain(`package/${entry}/index.${end}`);
    }
    expect(files).toContain('package/charts/noa-server/sql/10-schemas.sql');
  });

  test('a program with cdk8s alone compiles, and renders its YAML without any Pulumi package', () => {
    const folder = emptyFolder();
    install('cdk8s-only', folder);
    npm(folder, 'run', 'render');
    expect(fs.existsSync(path.join(folder, 'node_modules/@pulumi'))).toBe(false);
    const text = fs.readFileSync(path.join(folder, 'dist/shop.k8s.yaml'), 'utf8');
    const objects = parseAllDocuments(text).map((each) => each.toJS() as { kind: string; metadata: { name: string } });
    const named = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    for (const name of ['Deployment/api', 'HorizontalPodAutoscaler/api', 'NetworkPolicy/api', 'Ingress/web']) {
      expect(named).toContain(name);
    }
    expect(text).not.toContain('token');
  });

  test('a Pulumi stack of its own previews a database and a service, with an Output passed in', async () => {
    const server = await ApiServer.shared();
    const engine = await Engine.create({ kubeconfig: server.kubeconfig });
    try {
      fs.rmSync(path.join(engine.folder, 'node_modules'));
      install('pulumi-stack', engine.folder);
      await engine.ok('stack', 'init', 'test');
      const steps = await engine.steps();
      const named = steps.map(
        ({ op, urn }) => `${op} ${urn.split('$').at(-1)?.split('::').slice(0, 2).join(' ') ?? ''}`,
      );
      expect(named).toContain('create kubernetes:apps/v1:StatefulSet shop/orders/StatefulSet');
      expect(named).toContain('create kubernetes:apps/v1:Deployment shop/api/Deployment');
      expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(['create']));
      const { output } = await engine.ok('preview', '--diff');
      expect(output).toMatch(/name\s*: "RELEASE"\s+value\s*: (output<string>|\[unknown\])/);
    } finally {
      await engine.dispose();
      await server.destroy();
    }
  });
});
