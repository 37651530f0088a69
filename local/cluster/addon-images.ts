import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import type { Report } from '../report';
import { importImage, importedImages } from './containerd';
import { contentTag, writeImage, type ImageFile, type ImageSpec } from './image';
import type { Layout } from './layout';
import type { Resolve } from './supervise';

/** An image with one static program. Its name is in no registry: the kubelet is told never to pull it. */
interface AddonImage {
  readonly name: string;
  /** Name of the program in the toolchain. */
  readonly tool: string;
  readonly arguments?: readonly string[];
  /** Further names of the program, in `/bin`. */
  readonly links?: readonly string[];
  readonly user?: string;
}

/** The programs of BusyBox that the volume provisioner's scripts use, and those that a person wants in `kubectl exec`. */
const SHELL = ['sh', 'mkdir', 'rm', 'cat', 'ls', 'echo', 'nslookup', 'wget', 'sleep', 'ps', 'id'];

export const ADDON_IMAGES: readonly AddonImage[] = [
  // Holds a pod's namespaces; it only has to stay.
  { name: 'pause', tool: 'busybox', arguments: ['sleep', 'infinity'] },
  // Makes and removes the directories of volumes, as root.
  { name: 'busybox', tool: 'busybox', arguments: [], links: SHELL, user: '0:0' },
  { name: 'coredns', tool: 'coredns' },
  { name: 'metrics-server', tool: 'metrics-server' },
  { name: 'local-path-provisioner', tool: 'local-path-provisioner' },
  { name: 'nominal-resizer', tool: 'nominal-resizer' },
  { name: 'traefik', tool: 'traefik' },
];

const PT_INTERP = 3;

/** Whether an ELF program needs a loader, which an image FROM scratch has not. Both word sizes and byte orders of Linux machines that run this are 64-bit little-endian. */
export function isStatic(program: string): boolean {
  const header = Buffer.alloc(4096);
  const file = fs.openSync(program, 'r');
  fs.readSync(file, header);
  fs.closeSync(file);
  const start = Number(header.readBigUInt64LE(32));
  const [size, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => start + index * size)
    .filter((offset) => offset + 4 <= header.length)
    .map((offset) => header.readUInt32LE(offset));
  return !types.includes(PT_INTERP);
}

async function specOf(image: AddonImage, resolve: Resolve): Promise<ImageSpec> {
  const source = fs.realpathSync(await resolve(image.tool));
  if (!isStatic(source)) {
    throw new LocalError(`${source} is not a static program, so no image can be made of it alone.`, {
      ...(image.tool === 'busybox' ? { fix: 'apt-get install busybox-static' } : {}),
    });
  }
  const program = `bin/${image.tool}`;
  const files: ImageFile[] = [
    { path: program, source },
    ...(image.links ?? []).map((name) => ({ path: `bin/${name}`, linkTo: image.tool })),
  ];
  const spec = {
    files,
    entrypoint: image.arguments?.length === 0 ? [] : [`/${program}`, ...(image.arguments ?? [])],
    ...(image.user === undefined ? {} : { user: image.user }),
  };
  return { ...spec, reference: `trellis.local/${image.name}:${contentTag(spec)}` };
}

/** The reference that an image has once it is imported; it changes with the program. */
export async function addonReference(name: string, resolve: Resolve): Promise<string> {
  const image = ADDON_IMAGES.find((one) => one.name === name);
  if (image === undefined) throw new LocalError(`There is no addon image ${name}.`);
  return (await specOf(image, resolve)).reference;
}

/** Makes and imports the image where containerd doesn't have it. @returns its reference */
export async function ensureAddonImage(
  name: string,
  layout: Layout,
  resolve: Resolve,
  report: Report,
): Promise<string> {
  const image = ADDON_IMAGES.find((one) => one.name === name);
  if (image === undefined) throw new LocalError(`There is no addon image ${name}.`);
  const spec = await specOf(image, resolve);
  if ((await importedImages(resolve)).has(spec.reference)) return spec.reference;
  report(`making the image of ${name}`);
  const archive = path.join(layout.dir, 'images', `${name}.tar`);
  writeImage(spec, archive);
  await importImage(resolve, archive);
  fs.rmSync(archive);
  return spec.reference;
}
