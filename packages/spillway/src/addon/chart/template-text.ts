import { inlineLists, marks, ranges, replacements, spliceKey } from './marks.ts';
import type { Member, Variant } from './variants.ts';

type Lines = readonly string[];

/** @param digest of the configuration, which the template computes */
export class TemplateText<F extends string> {
  readonly #digest: string;

  constructor(digest: string) {
    this.#digest = digest;
  }

  /** A document of the template. Empty in the installations that do not have it. */
  object({ needs, value }: Member<F>): string {
    return lines(conditional(needs, ['---', ...this.#block(value, 0)]));
  }

  #block(variant: Variant<F>, indent: number): Lines {
    switch (variant.kind) {
      case 'map':
        return variant.entries.flatMap(([key, { needs, value }]) =>
          conditional(needs, this.#entry(key, value, indent)),
        );
      case 'list':
        return variant.items.flatMap((item) => this.#item(item, indent));
      case 'choice':
        return choice(variant.feature, this.#block(variant.on, indent), this.#block(variant.off, indent));
      default:
        throw new TypeError('a scalar is no block');
    }
  }

  #entry(key: string, value: Variant<F>, indent: number): Lines {
    const head = `${' '.repeat(indent)}${keyText(key)}:`;
    switch (value.kind) {
      case 'choice':
        return choice(value.feature, this.#entry(key, value.on, indent), this.#entry(key, value.off, indent));
      case 'scalar':
        return this.#scalar(head, value.value, indent + 2);
      case 'list': {
        const [only] = value.items;
        const splice = value.items.length === 1 && only !== undefined ? spliceOf(only.value) : undefined;
        if (splice !== undefined) return [head, `{{- toYaml $s.${splice} | nindent ${indent + 2} }}`];
        return only === undefined ? [`${head} []`] : [head, ...this.#block(value, indent + 2)];
      }
      default: {
        const splice = key === liveEntry ? 'profileNamespaces' : spliceOf(value);
        if (splice !== undefined) return [head, `{{- toYaml $s.${splice} | nindent ${indent + 2} }}`];
        return value.entries.length === 0 ? [`${head} {}`] : [head, ...this.#block(value, indent + 2)];
      }
    }
  }

  #item({ needs, value }: Member<F>, indent: number): Lines {
    const range = ranges.find((each) => each.marks.some((mark) => hasDirectly(value, mark)));
    const text = this.#itemText(value, indent);
    return conditional(needs, range === undefined ? text : [`{{- range ${range.over} }}`, ...text, '{{- end }}']);
  }

  #itemText(value: Variant<F>, indent: number): Lines {
    const head = `${' '.repeat(indent)}-`;
    switch (value.kind) {
      case 'choice':
        return choice(value.feature, this.#itemText(value.on, indent), this.#itemText(value.off, indent));
      case 'scalar':
        return this.#scalar(head, value.value, indent + 2);
      default:
        return beginning(head, this.#block(value, indent + 2));
    }
  }

  /** @param indent of what follows the head on lines of its own */
  #scalar(head: string, value: unknown, indent: number): Lines {
    const space = ' '.repeat(indent);
    if (value === marks.configText) return [`${head} |`, `{{ $s.configText | indent ${indent} }}`];
    if (value === this.#digest) return [`${head} {{ sha256sum $s.configText | trunc 16 | quote }}`];
    if (typeof value !== 'string') return [`${head} ${withMarks(JSON.stringify(value))}`];
    if (value.includes('{{')) throw new TypeError(`${value} would be taken for a template`);
    const listed = inlineLists.reduce((text, [list, template]) => text.replaceAll(list, template), value);
    if (listed !== value)
      return [
        `${head} |-`,
        ...withMarks(listed)
          .split('\n')
          .map((line) => `${space}${line}`),
      ];
    return [`${head} ${withMarks(isPlain(value) ? value : JSON.stringify(value))}`];
  }
}

/** `spillway serve` changes it in the cluster: see `keepingLiveFields`. */
const liveEntry = 'namespaceSelector';

const lines = (all: Lines): string => all.map((line) => `${line}\n`).join('');

const conditional = (needs: readonly string[], inside: Lines): Lines =>
  needs.length === 0 ? inside : [`{{- if ${conditionOf(needs)} }}`, ...inside, '{{- end }}'];

const choice = (feature: string, on: Lines, off: Lines): Lines => [
  `{{- if ${conditionOf([feature])} }}`,
  ...on,
  '{{- else }}',
  ...off,
  '{{- end }}',
];

const conditionOf = (needs: readonly string[]): string => {
  const names = needs.map((need) => `$s.has.${need}`);
  return names.length === 1 ? (names[0] ?? '') : `and ${names.join(' ')}`;
};

/** The first line of a block goes behind the dash of its item. Conditions before it stay before the dash. */
function beginning(head: string, block: Lines): Lines {
  const [first = '', ...rest] = block;
  if (first.startsWith('{{-')) return [head, ...block];
  return [`${head} ${first.trimStart()}`, ...rest];
}

function spliceOf<F extends string>(value: Variant<F>): string | undefined {
  if (value.kind !== 'map') return undefined;
  const [[key, member] = []] = value.entries;
  return key === spliceKey && member?.value.kind === 'scalar' ? String(member.value.value) : undefined;
}

/** Not in lists that are in it, nor in lists within expressions. */
function hasDirectly<F extends string>(value: Variant<F>, mark: string): boolean {
  switch (value.kind) {
    case 'scalar': {
      const text = inlineLists.reduce((rest, [list]) => rest.replaceAll(list, ''), String(value.value));
      return text.includes(mark);
    }
    case 'map':
      return value.entries.some(([, member]) => hasDirectly(member.value, mark));
    case 'choice':
      return hasDirectly(value.on, mark) || hasDirectly(value.off, mark);
    default:
      return false;
  }
}

function withMarks(text: string): string {
  return replacements.reduce((rest, [mark, template]) => rest.replaceAll(mark, `{{ ${expression(template)} }}`), text);
}

/** Several parts are put together. */
const expression = (template: string): string => (template.includes(' ') ? `printf "%s%d" ${template}` : template);

const keyText = (key: string): string => (isPlain(key) ? key : JSON.stringify(key));

const words = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);
const isPlain = (text: string): boolean => /^[A-Za-z][A-Za-z0-9_./-]*$/.test(text) && !words.has(text.toLowerCase());
