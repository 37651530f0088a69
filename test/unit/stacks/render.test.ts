import { execFileSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { renderEnvironment, ROOT } from '../../../stacks/render';
import { typescript } from '../../../local/paths';

test.each(['dev', 'staging', 'prod'])(
  '%s reads the same in YAML 1.1, which Kubernetes’ tools speak',
  async (environment) => {
    const text = await renderEnvironment(environment);
    const read = (version: '1.1' | '1.2'): unknown =>
      parseAllDocuments(text, { version, merge: false }).map((document) => document.toJS() as unknown);
    expect(read('1.1')).toEqual(read('1.2'));
  },
);

test('needs nothing of the engine: what is rendered without it loads none of its packages', () => {
  const script = `require('./stacks/render').renderEnvironment('dev').then((text) =>
    console.log(JSON.stringify({ rendered: text.length > 0, files: Object.keys(require.cache) })))`;
  const argv = [...typescript, '--eval', script];
  const found = JSON.parse(execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' })) as {
    readonly rendered: boolean;
    readonly files: readonly string[];
  };
  expect(found.rendered).toBe(true);
  expect(found.files.filter((file) => /node_modules.cdk8s\b/.test(file))).not.toEqual([]);
  expect(found.files.filter((file) => /node_modules.(@pulumi|@grpc|typescript)\b/.test(file))).toEqual([]);
}, 90_000);
