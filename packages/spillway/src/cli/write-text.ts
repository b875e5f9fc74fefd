import type { NodeSelector, NodeSelectorRequirement, Toleration } from '@spillway/kube';
import type { Write } from '../diagnosis/plan/plan.ts';
import { at } from '../placement/rules/admitted.ts';

/** What admission writes, as a sentence for people. */
export function writeText({ kind, path, value }: Write): string {
  const segments = path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const [last = ''] = segments.slice(-1);
  const where = segments.slice(0, -1).join('.');
  const who = kind === 'Pod' ? 'Pods' : kind;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const metadata = /^(.*?)\.?metadata\.(label|annotation)s$/.exec(where);
  if (metadata !== null) {
    const owner = metadata[1] === '' ? who : `${who}: its pod template`;
    const verb = kind === 'Pod' ? ['get', 'lose'] : ['gets', 'loses'];
    return value === undefined
      ? `${owner} ${verb[1]} the ${metadata[2]} ${last}`
      : `${owner} ${verb[0]} the ${metadata[2]} ${last}: ${text}`;
  }
  if (value === undefined) return `${who}: ${segments.join('.')} is removed`;
  if (where === 'spec.nodeSelector') return `${who} run only on nodes with the label ${last}=${text}`;
  if (where === 'spec' && last === 'schedulerName') return `${who} are placed by the scheduler ${text}`;
  if (segments[1] === 'tolerations') return `${who} tolerate ${tolerations(value).map(tolerationText).join(', ')}`;
  if (segments[1] === 'schedulingGates') {
    const gates = (at<{ name: string }[]>(value, []) ?? []).map(({ name }) => name);
    return `${who} are held back by the scheduling gate ${gates.join(', ')} until they have been counted`;
  }
  const wanted = segments[1] === 'affinity' ? requirements(value) : [];
  if (wanted.length > 0) return `${who} run only on nodes ${wanted.map(requirementText).join(' and ')}`;
  return `${who}: ${segments.join('.')} becomes ${text}`;
}

/** One, or the whole list. */
function tolerations(value: unknown): readonly Toleration[] {
  return Array.isArray(value) ? (at<Toleration[]>(value, []) ?? []) : [at<Toleration>(value, []) ?? {}];
}

function tolerationText({ key, value, effect, tolerationSeconds }: Toleration): string {
  const what = `${key ?? 'everything'}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
  if (tolerationSeconds !== undefined) return `${what} for ${tolerationSeconds} s`;
  return effect === 'NoExecute' ? `${what} without a time limit` : what;
}

/** Of a whole selector, a list, or one. */
function requirements(value: unknown): readonly NodeSelectorRequirement[] {
  if (Array.isArray(value)) return at<NodeSelectorRequirement[]>(value, []) ?? [];
  const terms = at<NodeSelector['nodeSelectorTerms']>(value, ['nodeSelectorTerms']);
  if (terms !== undefined) return terms.flatMap(({ matchExpressions }) => matchExpressions ?? []);
  const one = at<NodeSelectorRequirement>(value, []);
  return one?.operator === undefined ? [] : [one];
}

function requirementText({ key, operator, values = [] }: NodeSelectorRequirement): string {
  const which = values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(', ')})`;
  return operator === 'NotIn' ? `without the label ${which}` : `with the label ${which}`;
}
