import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import * as fc from 'fast-check';
import { cpuMillis, parseCpu, parseSize, sizeBytes, sizeQuantity } from '../../../components/units';

test('a size is written in the largest binary unit that divides it', () => {
  expect(
    [Size.kibibytes(1), Size.kibibytes(1536), Size.mebibytes(512), Size.mebibytes(1024)].map(sizeQuantity),
  ).toEqual(['1Ki', '1536Ki', '512Mi', '1Gi']);
  expect([Size.gibibytes(1.5), Size.tebibytes(2), Size.pebibyte(1)].map(sizeQuantity)).toEqual([
    '1536Mi',
    '2Ti',
    '1024Ti',
  ]);
});

test('a fraction of the smallest unit is cut off', () => {
  expect(sizeQuantity(Size.kibibytes(1.9))).toBe('1Ki');
});

test('a size without number stays visible', () => {
  expect(sizeBytes(Size.mebibytes(Number.NaN))).toBeNaN();
});

test('any size survives being written and read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (kibibytes) => {
      const read = parseSize(sizeQuantity(Size.kibibytes(kibibytes)));
      expect(read && sizeBytes(read)).toBe(kibibytes * 1024);
    }),
  );
});

test.each(['', '0Gi', '-1Gi', '1.5Gi', '10GB', '1G', '10', '1Gib', ' 1Gi', '1Gi\n', '1e3Mi', '99999999999Ti', '01Gi'])(
  'the text %j is no size',
  (text) => expect(parseSize(text)).toBeUndefined(),
);

test('CPU is in whole millicores, however it was given', () => {
  expect([Cpu.millis(250), Cpu.units(2), Cpu.units(1.001), Cpu.units(0.1)].map(cpuMillis)).toEqual([
    250, 2000, 1001, 100,
  ]);
  expect(cpuMillis(Cpu.units(Number.NaN))).toBeNaN();
});

test.each([
  ['250m', 250],
  ['2', 2000],
  ['1.5', 1500],
  ['0.001', 1],
])('the text %s is %i millicores', (text, millis) => {
  const cpu = parseCpu(text);
  expect(cpu && cpuMillis(cpu)).toBe(millis);
});

test.each(['', '0', '0m', '-1', '1.2345', '1,5', '2 cores', '1e3', 'm', '.5'])('the text %j is no CPU', (text) => {
  expect(parseCpu(text)).toBeUndefined();
});

test('any amount of millicores survives being written and read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), (millis) => {
      for (const text of [`${millis}m`, String(millis / 1000)]) {
        const read = parseCpu(text);
        expect(read && cpuMillis(read)).toBe(millis);
      }
    }),
  );
});
