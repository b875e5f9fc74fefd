/** How long integration test files take, by their paths, as a table of docs/development.md says. */
export function secondsIn(page: string): ReadonlyMap<string, number> {
  const rows = page.matchAll(/^\| (\S+\/\S+) \| \d+ \| (\d+) \|$/gm);
  return new Map(
    Array.from(rows, ([, name = '', seconds]) => [`packages/${name}.integration.test.ts`, Number(seconds)]),
  );
}
