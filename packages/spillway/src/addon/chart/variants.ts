import { isDeepStrictEqual } from 'node:util';

/** What is on or off in an installation, and decides which of its objects there are and what they say. */
export type Settings<F extends string> = Readonly<Record<F, boolean>>;

/** A value that depends on settings, as a tree of what is always the same and of choices. */
export type Variant<F extends string> =
  | { readonly kind: 'scalar'; readonly value: unknown }
  | { readonly kind: 'list'; readonly items: readonly Member<F>[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: string, member: Member<F>])[] }
  | { readonly kind: 'choice'; readonly feature: F; readonly on: Variant<F>; readonly off: Variant<F> };

/** Is there only when all of these are on. */
export interface Member<F extends string> {
  readonly needs: readonly F[];
  readonly value: Variant<F>;
}

/**
 * Finds out on what a value depends, by asking for it with each setting switched off. Exact where settings do not work together within
 * the same list; who uses it compares.
 *
 * @param valueOf undefined: there is no such value with these settings
 */
export function variantOf<F extends string>(
  valueOf: (settings: Settings<F>) => unknown,
  features: readonly F[],
  base: Settings<F>,
): Variant<F> {
  const value = valueOf(base);
  // What the value is without each of the features that matter to it.
  const without = features.flatMap((feature) => {
    const off = valueOf({ ...base, [feature]: false });
    return isDeepStrictEqual(off, value) ? [] : [{ feature, off }];
  });
  if (without.length === 0) return plain(value);
  const choice = without.find(({ off }) => !isComparable(value, off));
  if (choice !== undefined) {
    const { feature } = choice;
    const rest = features.filter((each) => each !== feature);
    return {
      kind: 'choice',
      feature,
      on: variantOf(valueOf, rest, base),
      off: variantOf(valueOf, rest, { ...base, [feature]: false }),
    };
  }
  const matter = without.map(({ feature }) => feature);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return {
      kind: 'list',
      items: list.map((element, index) => {
        const find = (settings: Settings<F>): unknown => at(list, valueOf(settings), index);
        return member(find, matter, base, element);
      }),
    };
  }
  return {
    kind: 'map',
    entries: Object.keys(Object(value)).map((key) => {
      const find = (settings: Settings<F>): unknown => Reflect.get(Object(valueOf(settings)), key);
      return [key, member(find, matter, base, find(base))] as const;
    }),
  };
}

function member<F extends string>(
  find: (settings: Settings<F>) => unknown,
  features: readonly F[],
  base: Settings<F>,
  element: unknown,
): Member<F> {
  const needs = features.filter((feature) => find({ ...base, [feature]: false }) === undefined);
  const rest = features.filter((feature) => !needs.includes(feature));
  return { needs, value: variantOf((settings) => find(settings) ?? element, rest, base) };
}

function plain<F extends string>(value: unknown): Variant<F> {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return { kind: 'list', items: list.map((each) => ({ needs: [], value: plain(each) })) };
  }
  if (typeof value !== 'object' || value === null) return { kind: 'scalar', value };
  return {
    kind: 'map',
    entries: Object.entries(value).map(([key, each]) => [key, { needs: [], value: plain<F>(each) }] as const),
  };
}

/** Can one be had from the other by leaving out parts, and by changes within parts? */
function isComparable(on: unknown, off: unknown): boolean {
  if (Array.isArray(on)) return Array.isArray(off) && alignment(on, off) !== undefined;
  return isMap(on) && isMap(off) && Object.keys(off).every((key) => key in on);
}

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a list in another variant, what stands for the element of the whole one; undefined: it is left out there. */
function at(whole: readonly unknown[], variant: unknown, index: number): unknown {
  if (!Array.isArray(variant)) return undefined;
  const list: readonly unknown[] = variant;
  const place = alignment(whole, list)?.[index];
  return place === undefined ? undefined : list[place];
}

/**
 * For each element of the whole list, the index of what stands for it in the other: the same element, or a changed one at the same place
 * between two that are the same. Undefined: the other has more than changes and omissions.
 */
function alignment(whole: readonly unknown[], part: readonly unknown[]): readonly (number | undefined)[] | undefined {
  if (whole.length === part.length) return whole.map((_, index) => index);
  const places: (number | undefined)[] = whole.map(() => undefined);
  let from = 0;
  let next = 0;
  for (const anchor of [...commonElements(whole, part), [whole.length, part.length] as const]) {
    const [wholeEnd, partEnd] = anchor;
    const changed = partEnd - next;
    if (changed !== 0 && changed !== wholeEnd - from) return undefined;
    for (let step = 0; step < changed; step += 1) places[from + step] = next + step;
    if (wholeEnd < whole.length) places[wholeEnd] = partEnd;
    from = wholeEnd + 1;
    next = partEnd + 1;
  }
  return places;
}

type Pair = readonly [whole: number, part: number];

/** Indexes of the longest common subsequence. */
function commonElements(whole: readonly unknown[], part: readonly unknown[]): readonly Pair[] {
  if (whole.length === 0 || part.length === 0) return [];
  const texts = [whole, part].map((list) => list.map((each) => JSON.stringify(each)));
  const [a = [], b = []] = texts;
  const longest: Pair[][][] = Array.from({ length: a.length + 1 }, () =>
    Array.from({ length: b.length + 1 }, () => []),
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const [same = [], below = [], right = []] = [longest[i + 1]?.[j + 1], longest[i + 1]?.[j], longest[i]?.[j + 1]];
      const row = longest[i];
      if (row === undefined) continue;
      if (a[i] === b[j]) row[j] = [[i, j], ...same];
      else row[j] = below.length >= right.length ? below : right;
    }
  }
  return longest[0]?.[0] ?? [];
}
