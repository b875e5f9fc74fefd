import type { Reading } from '@spillway/cci-standin';
import type { Report, Row } from '../src/ledger/report.ts';
import { nanoOf } from '../src/podspec/quantities.ts';

interface Billed {
  readonly size: string;
  readonly seconds: number;
  readonly running: boolean;
}

const toleratedSeconds = 1;

/**
 * Where Spillway's ledger (`spillway ledger --by pod`, until the moment of the reading) and the region's meter disagree, by pod
 * and by size; empty: they agree, to a second for each pod.
 */
export function disagreements({ rows }: Report, { bills, overlapping }: Reading): string[] {
  const ledger = byUid(rows.map((row) => [row.uid ?? '', billedOf(row)]));
  const meter = byUid(
    bills.map(({ uid, size, seconds, end }) => [
      uid,
      { size: sizeText(size.vcpu, size.gib), seconds, running: end === undefined },
    ]),
  );
  const pods = [...new Set([...ledger.keys(), ...meter.keys()])].flatMap((uid) =>
    differences(`pod ${uid}`, toleratedSeconds, ledger.get(uid), meter.get(uid)),
  );
  const sizes = [...new Set([...ledger.values(), ...meter.values()].flatMap((all) => all.map(({ size }) => size)))];
  return [
    ...overlapping.map((uid) => `pod ${uid} is billed twice`),
    ...pods,
    ...sizes.flatMap((size) => {
      const of = (bill: ReadonlyMap<string, Billed[]>): Billed[] =>
        [...bill.values()].flat().filter((each) => each.size === size);
      const [ours, theirs] = [of(ledger), of(meter)];
      return differences(`size ${size}`, toleratedSeconds * theirs.length, ours, theirs);
    }),
  ];
}

function differences(
  what: string,
  tolerance: number,
  ledger: readonly Billed[] = [],
  meter: readonly Billed[] = [],
): string[] {
  const sum = (billed: readonly Billed[]): number => billed.reduce((total, { seconds }) => total + seconds, 0);
  const shape = (billed: readonly Billed[]): string =>
    billed
      .map(({ size, running }) => `${size}${running ? ' running' : ''}`)
      .toSorted()
      .join('; ');
  const found: string[] = [];
  if (shape(ledger) !== shape(meter)) found.push(`${what}: ledger [${shape(ledger)}], meter [${shape(meter)}]`);
  if (Math.abs(sum(ledger) - sum(meter)) > tolerance)
    found.push(`${what}: ledger ${sum(ledger)} s, meter ${sum(meter)} s`);
  return found;
}

function billedOf({ cpu, memory, podSeconds, running }: Row): Billed {
  const size = sizeText(Number(nanoOf(cpu)) / 1e9, Number(nanoOf(memory)) / 1e9 / 2 ** 30);
  return { size, seconds: podSeconds, running: running > 0 };
}

function byUid(entries: readonly (readonly [string, Billed])[]): Map<string, Billed[]> {
  const all = new Map<string, Billed[]>();
  for (const [uid, billed] of entries) all.set(uid, [...(all.get(uid) ?? []), billed]);
  return all;
}

function sizeText(vcpu: number, gib: number): string {
  return `${vcpu} CPU, ${gib} GiB`;
}
