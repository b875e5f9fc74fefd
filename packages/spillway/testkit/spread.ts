/**
 * The order in which files of two kinds are best run side by side, when those of one kind take turns: these are spread
 * evenly among the others, so that seldom two of them are there at once and one waits. Both kinds keep their order.
 */
export function spread<T>(files: readonly T[], takesTurns: (file: T) => boolean): T[] {
  const placed = [true, false].flatMap((turns) => {
    const kind = files.filter((file) => takesTurns(file) === turns);
    return kind.map((file, index) => ({ file, place: (index + 0.5) / kind.length }));
  });
  return placed.toSorted((a, b) => a.place - b.place).map(({ file }) => file);
}
