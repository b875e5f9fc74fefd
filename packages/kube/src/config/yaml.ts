import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import { errorMessage } from '../errors.ts';

/** Counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlMistake extends Place {
  readonly message: string;
}

/** A text is no YAML, or none that can be used. Each mistake says what is wrong, in words for people. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly mistakes: readonly YamlMistake[];

  constructor(mistakes: readonly YamlMistake[]) {
    super(mistakes.map(({ line, column, message }) => `${message} (line ${line}, column ${column})`).join('; '));
    this.mistakes = mistakes;
  }
}

export interface YamlDocument {
  readonly value: unknown;
  /** Of the key in what is there, else of what is there, else of the nearest thing around it. */
  placeOf(path: readonly PropertyKey[], key?: string): Place;
}

/**
 * All documents of a text, JSON included. Values are trees: an alias becomes what it stands for.
 *
 * @param version what `off` and `0777` are depends on it
 * @throws YamlError
 */
export function parseYaml(text: string, version: '1.1' | '1.2' = '1.2'): readonly YamlDocument[] {
  const lines = new LineCounter();
  const place = (offset = 0): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    // Nothing is told past the caller.
    const options = { version, lineCounter: lines, prettyErrors: false, logLevel: 'error' } as const;
    const documents: readonly Document.Parsed[] = parseAllDocuments(text, options);
    const mistakes = documents.flatMap((document) => [
      ...document.errors.map(({ pos, message }) => ({ ...place(pos[0]), message: parserText(message) })),
      ...aliasMistakes(document, place),
    ]);
    if (mistakes.length > 0) throw new YamlError(mistakes);
    return documents.map((document) => ({
      value: valueOf(document, place(document.contents?.range[0])),
      placeOf: (path, key) => place(offsetOf(document, path, key)),
    }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new YamlError([{ ...place(), message: tooDeep }]);
  }
}

const tooDeep = 'not usable: it is nested too deeply';

function parserText(message: string): string {
  return message.startsWith('Maximum call stack') ? tooDeep : `not valid YAML: ${message}`;
}

function valueOf(document: Document.Parsed, start: Place): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const bomb = error instanceof ReferenceError;
    const why = bomb ? 'its aliases (*name) stand for too much: write out what they repeat' : errorMessage(error);
    throw new YamlError([{ ...start, message: `not usable: ${why}` }]);
  }
}

/** An alias needs its anchor before it, and not around it. */
function aliasMistakes(document: Document.Parsed, place: (offset?: number) => Place): YamlMistake[] {
  const anchors = new Map<string, Node>();
  const mistakes: YamlMistake[] = [];
  visit(document, {
    Node: (_key, node, path) => {
      if ('anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node);
      if (!isAlias(node)) return;
      const name = node.source;
      const meant = anchors.get(name);
      if (meant !== undefined && !path.includes(meant)) return;
      const why = meant === undefined ? `has no anchor &${name} before it` : 'stands for something that contains it';
      mistakes.push({ ...place(node.range?.[0]), message: `not valid YAML: the alias *${name} ${why}` });
    },
  });
  return mistakes;
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], key: string | undefined): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    if (key !== undefined && length === path.length && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    return node.range[0];
  }
  return 0;
}
