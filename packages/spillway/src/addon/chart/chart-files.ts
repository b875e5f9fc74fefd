import type { KubeObject } from '@spillway/kube';
import { allFeatures, type Feature, features, hookAnnotation, markedObjects } from './chart-objects.ts';
import { factsTemplate } from './facts.ts';
import { TemplateText } from './template-text.ts';
import { valuesSchema, valuesText } from './values.ts';
import { type Settings, variantOf } from './variants.ts';

/** Files of the chart by their paths in it. */
export function chartFiles(version: string): ReadonlyMap<string, string> {
  const templates = new Map<string, string>();
  for (const { object, text } of objectTemplates()) {
    const file = `templates/${fileOf(object)}.yaml`;
    templates.set(file, (templates.get(file) ?? templateHead) + text);
  }
  return new Map([
    ['Chart.yaml', chartText(version)],
    ['values.yaml', valuesText],
    ['values.schema.json', `${JSON.stringify(valuesSchema(), undefined, 2)}\n`],
    ['templates/_facts.tpl', factsTemplate],
    ...templates,
  ]);
}

const templateHead = `{{- /* Generated. */}}\n{{- $s := include "spillway.facts" . | fromJson }}\n`;

const chartText = (version: string): string => `apiVersion: v2
name: spillway
description: Bursts Kubernetes pods to serverless containers
type: application
version: ${version}
appVersion: "${version}"
kubeVersion: ">=1.28.0-0"
`;

/** Which of the files has it, for people who look for it. */
function fileOf({ kind = '', metadata }: KubeObject): string {
  if (metadata?.annotations?.[hookAnnotation] !== undefined) return 'uninstall';
  if (kind === 'CustomResourceDefinition') return 'crd';
  if (/Role|ServiceAccount/.test(kind)) return 'rbac';
  return /Admission|Webhook/.test(kind) ? 'admission' : 'workload';
}

interface ObjectTemplate {
  readonly object: KubeObject;
  readonly text: string;
}

/** Each object that an installation can have, with the settings on which it and its parts depend. */
function objectTemplates(): readonly ObjectTemplate[] {
  const known = new Map<string, readonly KubeObject[]>();
  const objectsWith = (settings: Settings<Feature>): readonly KubeObject[] => {
    const key = features.map((feature) => Number(settings[feature])).join('');
    const found = known.get(key) ?? markedObjects(settings);
    known.set(key, found);
    return found;
  };
  // Webhooks without policies have more to do; what there is only then is not among all.
  const withWebhooks = { ...allFeatures, policies: false };
  const all = new Map(
    [...objectsWith(allFeatures), ...objectsWith(withWebhooks)].map((object) => [identityOf(object), object]),
  );
  const digest = /"spillway.dev\/config-digest":"(\w+)"/.exec(JSON.stringify(objectsWith(allFeatures)))?.[1] ?? '';
  const text = new TemplateText<Feature>(digest);
  return Array.from(all, ([identity, object]) => {
    const find = (settings: Settings<Feature>): KubeObject | undefined =>
      objectsWith(settings).find((each) => identityOf(each) === identity);
    const base = find(allFeatures) === undefined ? withWebhooks : allFeatures;
    const needs = features.filter((feature) => base[feature] && find({ ...base, [feature]: false }) === undefined);
    const rest = features.filter((feature) => !needs.includes(feature));
    return {
      object,
      text: text.object({ needs, value: variantOf((settings) => find(settings) ?? object, rest, base) }),
    };
  });
}

const identityOf = ({ kind, metadata }: KubeObject): string =>
  [kind, metadata?.namespace ?? '', metadata?.name ?? ''].join('\n');
