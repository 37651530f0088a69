import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import * as path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(__dirname, '../../..');
const NOT_OURS = new Set(['node_modules', '.git', '.trellis', 'dist', 'golden']);
const SOURCE = /\.(ts|mjs|js|go|sh|sql|md)$|(^|\/)(Dockerfile|trellis)$/;

function filesBelow(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (NOT_OURS.has(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(name) : entry.isFile() ? [name] : [];
  });
}

const sources = filesBelow('').filter((name) => SOURCE.test(name));
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** Modules that a file imports, types included. */
const importsOf = (name: string): readonly string[] =>
  ts.preProcessFile(read(name), true, true).importedFiles.map(({ fileName }) => fileName);

/** Everything below an entry that belongs to this package, and every package that it needs. */
function reachable(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const target of importsOf(file)) {
      if (!target.startsWith('.')) {
        packages.add(
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        );
        continue;
      }
      const base = path.join(path.dirname(file), target);
      const found = [`${base}.ts`, path.join(base, 'index.ts')].find((name) => existsSync(path.join(ROOT, name)));
      expect([file, target, found]).toEqual([file, target, expect.any(String)]);
      visit(found as string);
    }
  };
  visit(entry);
  return { files, packages };
}

describe('source files', () => {
  it('are found', () => {
    expect(sources.length).toBeGreaterThan(200);
  });

  it('have 300 lines at most', () => {
    const written = sources.filter((name) => !/^(components\/imports|api)\/|^docs\/alerts\.md$/.test(name));
    const long = written.filter((name) => read(name).trimEnd().split('\n').length > 300);
    expect(long).toEqual([]);
  });
});

describe('the package', () => {
  it('offers components, charts and bridge, and to its own programs the loader', () => {
    expect(Object.keys(manifest.exports).sort()).toEqual([
      './bridge',
      './charts',
      './components',
      './package.json',
      './register-typescript',
    ]);
  });

  it.each(Object.entries(manifest.exports))('leads %s to %s, as Node resolves it', (name, target) => {
    const script = `process.stdout.write(require.resolve('trellis${name.slice(1)}'))`;
    const resolved = execFileSync(process.execPath, ['--eval', script], { cwd: ROOT, encoding: 'utf8' });
    expect(resolved).toBe(path.join(ROOT, target));
  });

  it.each(['./components', './charts', './bridge'])('has something to offer at %s', (name) => {
    const entry = manifest.exports[name] as string;
    const offered = jest.requireActual<Record<string, unknown>>(path.join(ROOT, entry));
    expect(Object.keys(offered).length).toBeGreaterThan(0);
  });

  it('lets the components be used without Pulumi', () => {
    const { packages } = reachable('components/index.ts');
    const needed = [...packages].filter((name) => !builtinModules.includes(name.replace(/^node:/, '')));
    expect(needed.sort()).toEqual(['cdk8s', 'cdk8s-plus-28', 'constructs']);
  });

  it.each(['components/index.ts', 'charts/index.ts', 'bridge/index.ts', 'stacks/index.ts', 'cli/main.ts'])(
    'declares every package that %s needs as a dependency',
    (entry) => {
      const { packages } = reachable(entry);
      const undeclared = [...packages].filter(
        (name) => !builtinModules.includes(name.replace(/^node:/, '')) && !(name in manifest.dependencies),
      );
      expect(undeclared).toEqual([]);
    },
  );

  it('pins every dependency', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^(npm:[\w/@-]+@)?\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
  });
});
