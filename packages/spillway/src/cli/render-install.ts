import type { Refusal } from '../install/apply.ts';
import type { Change, FieldChange } from '../install/changes.ts';
import type { InstallReport } from '../install/install.ts';
import type { PreflightFinding } from '../install/preflight.ts';
import { sentences } from '../podspec/words.ts';
import { coloured } from './output.ts';
import { section } from './render-removal.ts';
import { table } from './table.ts';

/** What an installation would change. */
export interface InstallPlan {
  readonly installation: string;
  readonly namespace: string;
  readonly image: string;
  readonly changes: readonly Change[];
}

export function findingText({ severity, message, remedy }: PreflightFinding): string {
  return `${coloured(severity === 'error' ? 'red' : 'yellow', severity)}: ${sentences(message, remedy)}`;
}

export function refusalFinding({ object: { kind, metadata }, error }: Refusal): PreflightFinding {
  return { severity: 'error', message: `${kind} ${metadata?.name}: ${error.message}` };
}

export function renderPlan({ installation, namespace, changes }: InstallPlan): string {
  if (changes.length === 0) return `Nothing would change in "${installation}" in ${namespace}.\n`;
  return `${changeSections(changes)}\nNothing was changed.\n`;
}

function changeSections(changes: readonly Change[]): string {
  const of = (change: Change['change']): readonly Change[] => changes.filter((each) => each.change === change);
  return [
    section('To be created', 'bold', of('created').map(nameOf)),
    section('To be changed', 'bold', of('changed').flatMap(changeLines)),
    section('To be removed', 'bold', of('removed').map(nameOf)),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const nameOf = ({ kind, namespace, name }: Change): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** More are counted. */
const fieldsAtMost = 12;

function changeLines(change: Change): string[] {
  const { fields } = change;
  const rest = fields.length - fieldsAtMost;
  return [
    nameOf(change),
    ...fields.slice(0, fieldsAtMost).map((field) => `  ${fieldText(field)}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

function fieldText({ path, from, to }: FieldChange): string {
  if (from === undefined && to === undefined) return path;
  return `${path}: ${valueText(from)} → ${valueText(to)}`;
}

const longestValue = 60;

function valueText(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

export function renderInstall(report: InstallReport): string {
  const { pools, why, changes } = report;
  const rows = pools.map(({ name, node, leader }) => [name, node, leader ?? '–']);
  const counts = (['created', 'changed', 'removed'] as const).flatMap((kind) => {
    const count = changes.filter(({ change }) => change === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return [
    `${verdict(report)}\n`,
    `Objects: ${counts.length === 0 ? 'nothing changed' : counts.join(', ')}\n`,
    ...(why === undefined ? [] : [`Why: ${why}\n`]),
    table(['POOL', 'NODE', 'LEADER'], rows),
  ].join('');
}

function verdict({ installation, namespace, image, result }: InstallReport): string {
  const what = `"${installation}" in ${namespace}`;
  switch (result) {
    case 'ready':
      return coloured('green', `${what} is ready, with ${image}.`);
    case 'applied':
      return `${what} was applied, with ${image}. "spillway status" says when it is ready.`;
    case 'rolledBack':
      return coloured('red', `${what} is as it was before: ${image} did not become ready.`);
    default:
      return coloured('red', `${what} is not ready. Correct what it says below, and run the same command again.`);
  }
}
