import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { isStatic } from '../../../local/cluster/addon-images';
import { cniConfig, containerdConfig } from '../../../local/cluster/containerd';
import { contentTag, writeImage, type ImageSpec } from '../../../local/cluster/image';
import { kubeconfig } from '../../../local/cluster/kubeconfig';
import { layoutOf } from '../../../local/cluster/layout';
import { ensureAuthority, ensureCertificate, stillGood } from '../../../local/cluster/pki';

let dir: string;
beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-unit-'))));
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('writeImage', () => {
  const spec = (): ImageSpec => ({
    reference: 'trellis.local/tool:1',
    files: [
      { path: 'bin/tool', source: path.join(dir, 'tool') },
      { path: 'bin/sh', linkTo: 'tool' },
    ],
    entrypoint: ['/bin/tool'],
  });

  test('writes what tar, and so `ctr images import`, can read', () => {
    fs.writeFileSync(path.join(dir, 'tool'), 'x'.repeat(1000));
    writeImage(spec(), path.join(dir, 'image.tar'));
    execFileSync('tar', ['-xf', path.join(dir, 'image.tar'), '-C', dir]);
    const read = (name: string): Buffer => fs.readFileSync(path.join(dir, name));
    const [manifest] = JSON.parse(read('manifest.json').toString()) as { RepoTags: string[]; Layers: string[] }[];
    expect(manifest).toEqual({ Config: 'config.json', RepoTags: ['trellis.local/tool:1'], Layers: ['layer.tar'] });
    const config = JSON.parse(read('config.json').toString()) as {
      config: Record<string, unknown>;
      rootfs: { diff_ids: string[] };
    };
    expect(config.rootfs.diff_ids).toEqual([`sha256:${sha256(read('layer.tar'))}`]);
    expect(config.config).toMatchObject({ Entrypoint: ['/bin/tool'], User: '65532:65532' });
    const listing = execFileSync('tar', ['-tvf', path.join(dir, 'layer.tar')]).toString();
    expect(listing).toMatch(/^drwxr-xr-x .* bin\/$/m);
    expect(listing).toMatch(/^-rwxr-xr-x 0\/0 +1000 .* bin\/tool$/m);
    expect(listing).toMatch(/^lrwxrwxrwx .* bin\/sh -> tool$/m);
  });

  test('gives the same bytes for the same files', () => {
    fs.writeFileSync(path.join(dir, 'tool'), 'same');
    writeImage(spec(), path.join(dir, 'a.tar'));
    writeImage(spec(), path.join(dir, 'b.tar'));
    expect(sha256(fs.readFileSync(path.join(dir, 'a.tar')))).toBe(sha256(fs.readFileSync(path.join(dir, 'b.tar'))));
  });

  test('has another tag once the program changes', () => {
    fs.writeFileSync(path.join(dir, 'tool'), 'one');
    const before = contentTag(spec());
    fs.writeFileSync(path.join(dir, 'tool'), 'three');
    expect(contentTag(spec())).not.toBe(before);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
  });

  test('knows a static program from one that needs a loader', () => {
    const elf = (type: number): string => {
      const bytes = Buffer.alloc(128);
      bytes.writeBigUInt64LE(64n, 32);
      bytes.writeUInt16LE(56, 54);
      bytes.writeUInt16LE(1, 56);
      bytes.writeUInt32LE(type, 64);
      fs.writeFileSync(path.join(dir, `elf-${type}`), bytes);
      return path.join(dir, `elf-${type}`);
    };
    expect(isStatic(elf(1))).toBe(true);
    expect(isStatic(elf(3))).toBe(false);
  });
});

describe('certificates', () => {
  const request = {
    name: 'server',
    commonName: 'server',
    dns: ['localhost', '*.trellis.localhost'],
    ips: ['127.0.0.1'],
  };

  test('are made once, and again for other names, another authority or a damaged file', async () => {
    const authority = await ensureAuthority(dir, 'ca', 'test authority');
    const files = await ensureCertificate(dir, authority, request);
    const first = fs.readFileSync(files.certFile, 'utf8');
    expect(fs.statSync(files.keyFile).mode & 0o777).toBe(0o600);
    await ensureCertificate(dir, authority, request);
    expect(fs.readFileSync(files.certFile, 'utf8')).toBe(first);

    expect(stillGood(files, { ...request, ips: ['127.0.0.2'] }, authority)).toBe(false);
    expect(stillGood(files, request, await ensureAuthority(dir, 'other', 'test authority'))).toBe(false);
    fs.truncateSync(files.keyFile, 10);
    expect(stillGood(files, request, authority)).toBe(false);
    await ensureCertificate(dir, authority, request);
    expect(stillGood(files, request, authority)).toBe(true);
  });

  test('carry user and group for Kubernetes', async () => {
    const authority = await ensureAuthority(dir, 'ca', 'test authority');
    const user = { name: 'admin', commonName: 'trellis-admin', organization: 'system:masters' };
    const files = await ensureCertificate(dir, authority, user);
    const subject = execFileSync('openssl', ['x509', '-in', files.certFile, '-noout', '-subject']).toString();
    expect(subject).toContain('O = system:masters, CN = trellis-admin');
  });

  test('a kubeconfig holds them, and its contexts lead to one cluster', () => {
    const client = { certFile: path.join(dir, 'c'), keyFile: path.join(dir, 'k') };
    fs.writeFileSync(client.certFile, 'cert');
    fs.writeFileSync(client.keyFile, 'key');
    const options = { server: 'https://127.0.0.1:6443', caFile: client.certFile, client };
    const text = kubeconfig({ ...options, contexts: ['trellis-dev', 'trellis-prod'], comment: ['All one.'] });
    expect(text).toMatch(/^# All one\.\n/);
    const document = parse(text) as Record<string, unknown>;
    expect(document['current-context']).toBe('trellis-dev');
    expect(document.contexts).toEqual(
      ['trellis-dev', 'trellis-prod'].map((name) => ({ name, context: { cluster: 'trellis', user: 'trellis' } })),
    );
    expect(document.users).toEqual([
      {
        name: 'trellis',
        user: {
          'client-certificate-data': Buffer.from('cert').toString('base64'),
          'client-key-data': Buffer.from('key').toString('base64'),
        },
      },
    ]);
  });
});

describe('the layout', () => {
  test('keeps everything below one directory', () => {
    const { dir, ...places } = layoutOf('/home/me/trellis/.trellis/cluster');
    expect(Object.values(places).filter((place) => !place.startsWith(`${dir}/`))).toEqual([]);
  });

  test('takes the kubelet out of a clone whose path leaves no room for its sockets', () => {
    const { kubelet, etcd } = layoutOf(`/${'d'.repeat(80)}/.trellis/cluster`);
    expect(kubelet).toMatch(/^\/var\/lib\/trellis-[0-9a-f]{6}\/kubelet$/);
    expect(etcd).toMatch(/^\/d+\/\.trellis\/cluster\/etcd$/);
  });
});

describe('configuration of containerd', () => {
  const layout = layoutOf('/clone/with "quotes"/.trellis/cluster');

  test('keeps everything in the clone and needs no right to lower a score', () => {
    const snapshotter = 'overlayfs';
    const config = containerdConfig({ layout, sandboxImage: 'pause:1', cniBin: '/cni', runc: '/runc', snapshotter });
    expect(config).toContain('root = "/clone/with \\"quotes\\"/.trellis/cluster/containerd/root"');
    expect(config).toContain('restrict_oom_score_adj = true');
    expect(config).toContain('SystemdCgroup = false');
  });

  test('gives pods point-to-point links and addresses from the clone’s own pool', () => {
    const { plugins } = JSON.parse(cniConfig(layout, '10.244.0.0/24')) as {
      plugins: { type: string; ipam?: { dataDir: string; ranges: unknown } }[];
    };
    expect(plugins.map(({ type }) => type)).toEqual(['ptp', 'portmap']);
    expect(plugins[0]?.ipam?.dataDir.startsWith(layout.dir)).toBe(true);
    expect(plugins[0]?.ipam?.ranges).toEqual([[{ subnet: '10.244.0.0/24' }]]);
  });
});
