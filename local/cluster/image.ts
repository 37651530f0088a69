import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** A file of an image: taken from the machine, or a link. */
export type ImageFile =
  { readonly path: string; readonly source: string } | { readonly path: string; readonly linkTo: string };

/** An image of one layer, FROM scratch. */
export interface ImageSpec {
  /** Name and tag as a container asks for it. */
  readonly reference: string;
  readonly files: readonly ImageFile[];
  readonly entrypoint: readonly string[];
  /** Numeric `uid:gid`. @default '65532:65532' */
  readonly user?: string;
}

const BLOCK = 512;
const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** One header of a ustar archive. Owner root, time 0: the same files give the same bytes. */
export function tarHeader(name: string, size: number, type: 'file' | 'directory' | 'link', target = ''): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0, 100);
  header.write(octal(type === 'link' ? 0o777 : 0o755, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write({ file: '0', directory: '5', link: '2' }[type], 156);
  header.write(target, 157, 100);
  header.write('ustar\0' + '00', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return header;
}

/** The directories above the files, each once, parents first. */
const directoriesOf = (files: readonly ImageFile[]): readonly string[] => {
  const found = new Set<string>();
  for (const file of files) {
    const parts = path.posix.dirname(file.path).split('/');
    parts.forEach((_, index) => found.add(parts.slice(0, index + 1).join('/')));
  }
  return [...found].filter((directory) => directory !== '.').sort();
};

const sizeOf = (file: ImageFile): number => ('source' in file ? fs.statSync(file.source).size : 0);

/** Size of the layer's archive in bytes, known before it is written. */
const layerSize = (spec: ImageSpec): number =>
  spec.files.reduce((sum, file) => sum + BLOCK + sizeOf(file) + padding(sizeOf(file)).length, 0) +
  directoriesOf(spec.files).length * BLOCK +
  2 * BLOCK;

type Write = (bytes: Buffer) => void;

function copyFile(source: string, write: Write): void {
  const input = fs.openSync(source, 'r');
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    for (let read = fs.readSync(input, buffer); read > 0; read = fs.readSync(input, buffer))
      write(buffer.subarray(0, read));
  } finally {
    fs.closeSync(input);
  }
}

function writeLayer(spec: ImageSpec, write: Write): void {
  for (const directory of directoriesOf(spec.files)) write(tarHeader(`${directory}/`, 0, 'directory'));
  for (const file of spec.files) {
    if ('linkTo' in file) {
      write(tarHeader(file.path, 0, 'link', file.linkTo));
      continue;
    }
    const size = sizeOf(file);
    write(tarHeader(file.path, size, 'file'));
    copyFile(file.source, write);
    write(padding(size));
  }
  write(Buffer.alloc(2 * BLOCK));
}

/** What the runtime needs to know of an image; `layerDigest` is the SHA-256 of the layer's bytes, in hexadecimal. */
export const imageConfig = (spec: ImageSpec, layerDigest: string): string =>
  JSON.stringify({
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: spec.entrypoint,
      User: spec.user ?? '65532:65532',
      Env: ['PATH=/bin'],
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'trellis' }],
  });

/** Writes an image as `docker save` would; `ctr images import` and `docker load` take it. No Docker is needed. */
export function writeImage(spec: ImageSpec, archive: string): void {
  fs.mkdirSync(path.dirname(archive), { recursive: true });
  const temporary = `${archive}.tmp`;
  const output = fs.openSync(temporary, 'w');
  const digest: Hash = createHash('sha256');
  const write: Write = (bytes) => fs.writeFileSync(output, bytes);
  const entry = (name: string, content: string): void => {
    const bytes = Buffer.from(content);
    for (const part of [tarHeader(name, bytes.length, 'file'), bytes, padding(bytes.length)]) write(part);
  };
  try {
    write(tarHeader('layer.tar', layerSize(spec), 'file'));
    writeLayer(spec, (bytes) => {
      digest.update(bytes);
      write(bytes);
    });
    entry('config.json', imageConfig(spec, digest.digest('hex')));
    entry(
      'manifest.json',
      JSON.stringify([{ Config: 'config.json', RepoTags: [spec.reference], Layers: ['layer.tar'] }]),
    );
    write(Buffer.alloc(2 * BLOCK));
  } finally {
    fs.closeSync(output);
  }
  fs.renameSync(temporary, archive);
}

/** A tag that changes exactly when the image does: path, size and time of each file, and how it is started. */
export function contentTag(spec: Omit<ImageSpec, 'reference'>): string {
  const hash = createHash('sha256').update(JSON.stringify([spec.entrypoint, spec.user, process.arch]));
  for (const file of spec.files) {
    hash.update(JSON.stringify(file));
    if ('source' in file) {
      const { size, mtimeMs } = fs.statSync(file.source);
      hash.update(`${size} ${mtimeMs}`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
