import type { Item, Left, RemovalReport } from '../removal/report.ts';
import { type Colour, coloured } from './output.ts';

/** More of one kind are counted. */
const namedAtMost = 3;

export function renderRemoval({ dryRun, clusterId, removed, remains, others, notes }: RemovalReport): string {
  const parts = [
    section(dryRun ? 'To be removed' : 'Removed', 'bold', linesOf(removed)),
    section('What happens to pods', 'bold', notes),
    section('Left alone', 'dim', others.map(leftLine)),
    section('Remains', 'red', remains.map(leftLine)),
    `${verdict(dryRun, clusterId, removed, remains)}\n`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function verdict(dryRun: boolean, clusterId: string, removed: readonly Item[], remains: readonly Left[]): string {
  if (dryRun) {
    const what = removed.length === 0 ? 'Nothing to remove' : 'Nothing was changed';
    return remains.length === 0 ? `${what}.` : coloured('red', `${what}. Not everything could be removed.`);
  }
  return remains.length === 0
    ? coloured('green', `Nothing of cluster ${clusterId} is left.`)
    : coloured('red', `${remains.length} remain. Run the same command again when the reasons are gone.`);
}

export function section(title: string, colour: Colour, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${coloured(colour, title)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export function linesOf(items: readonly Item[]): string[] {
  const places = Map.groupBy(items, ({ pool }) => pool);
  return [...places].flatMap(([pool, there]) =>
    Array.from(
      Map.groupBy(there, ({ kind }) => kind),
      ([kind, same]) => {
        const names = same.slice(0, namedAtMost).map(nameOf).join(', ');
        const rest = same.length > namedAtMost ? ` and ${same.length - namedAtMost} more` : '';
        return `${pool === undefined ? '' : `pool ${pool}: `}${kind} ${names}${rest}`;
      },
    ),
  );
}

const nameOf = ({ namespace, name }: Item): string => (namespace === undefined ? name : `${namespace}/${name}`);

export function leftLine(item: Left): string {
  const { pool, kind, why, remedy } = item;
  const head = `${pool === undefined ? '' : `pool ${pool}: `}${kind} ${nameOf(item)}: ${why}`;
  return remedy === undefined ? head : `${head}. ${remedy}`;
}
