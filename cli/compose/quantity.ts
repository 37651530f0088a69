import { cpuMillis, parseCpu, parseSize, sizeBytes } from '../../components/units';

/** Bytes of a Kubernetes quantity, as Compose takes them. */
export function bytesOf(quantity: string): string | undefined {
  const size = parseSize(quantity);
  return size === undefined ? undefined : `${sizeBytes(size)}b`;
}

/** CPUs of a Kubernetes quantity, as Compose takes them. */
export function cpusOf(quantity: string): string | undefined {
  const cpu = parseCpu(quantity);
  return cpu === undefined ? undefined : String(cpuMillis(cpu) / 1000);
}
