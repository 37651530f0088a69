import { parseAllDocuments } from 'yaml';
import { renderEnvironment } from '../../../stacks/render';

test.each(['dev', 'staging', 'prod'])(
  '%s reads the same in YAML 1.1, which Kubernetes’ tools speak',
  async (environment) => {
    const text = await renderEnvironment(environment);
    const read = (version: '1.1' | '1.2'): unknown =>
      parseAllDocuments(text, { version, merge: false }).map((document) => document.toJS() as unknown);
    expect(read('1.1')).toEqual(read('1.2'));
  },
);
