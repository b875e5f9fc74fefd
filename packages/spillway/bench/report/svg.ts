/** A bar of a chart: its length, and the length that it is to reach. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly goal: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const width = 720;
const colours = ['#3b7dd8', '#d9822b', '#4c9a52'] as const;
const style =
  'text{font:13px sans-serif;fill:#333}.axis{stroke:#999}.goal{stroke:#c33;stroke-width:2}' +
  '@media(prefers-color-scheme:dark){text{fill:#ccc}}';

/** Horizontal bars, each with a mark at its goal. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const [left, right, rowHeight, top] = [350, 60, 26, 40];
  const longest = Math.max(...bars.flatMap(({ value, goal }) => [value, goal]));
  const length = (value: number): number => round((value / longest) * (width - left - right));
  const rows = bars.map(({ label, value, goal }, index) => {
    const y = top + index * rowHeight;
    const mark = left + length(goal);
    return (
      text(left - 8, y + 15, label, 'end') +
      `<rect x="${left}" y="${y + 3}" width="${length(value)}" height="16" fill="${colours[0]}"/>` +
      `<line class="goal" x1="${mark}" x2="${mark}" y1="${y}" y2="${y + 22}"/>` +
      text(left + Math.max(length(value), length(goal)) + 6, y + 15, value.toFixed(2))
    );
  });
  return svg(title, top + bars.length * rowHeight + 10, rows);
}

/** Lines over a common axis from zero. */
export function lineChart(
  title: string,
  axes: { readonly x: string; readonly y: string },
  lines: readonly Line[],
): string {
  const [left, top, bottom, height] = [60, 50, 300, 345];
  const right = width - 200;
  const points = lines.flatMap((line) => line.points);
  const [maxX, maxY] = [Math.max(...points.map(([x]) => x)), Math.max(...points.map(([, y]) => y))];
  const place = ([x, y]: readonly [number, number]): readonly [number, number] => [
    round(left + (maxX === 0 ? 0 : x / maxX) * (right - left)),
    round(bottom - (maxY === 0 ? 0 : y / maxY) * (bottom - top)),
  ];
  const drawn = lines.map(({ name, points: own }, index) => {
    const colour = colours[index % colours.length] ?? colours[0];
    const places = own.map(place);
    const [endX = 0, endY = 0] = places.at(-1) ?? [];
    const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`).join('');
    const path = places.map((each) => each.join(',')).join(' ');
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      dots +
      text(endX + 8, endY + 4, `${name}: ${Math.round(own.at(-1)?.[1] ?? 0)}`)
    );
  });
  const ticks = [...new Set(points.map(([x]) => x))].map((x) =>
    text(place([x, 0])[0], bottom + 18, x.toLocaleString('en'), 'middle'),
  );
  const axis =
    `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>` +
    `<line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${bottom}"/>`;
  const scale = text(left - 6, top + 4, String(Math.round(maxY)), 'end') + text(left - 6, bottom + 4, '0', 'end');
  const names = text((left + right) / 2, bottom + 36, axes.x, 'middle') + text(8, top - 12, axes.y);
  return svg(title, height, [axis, scale, names, ...ticks, ...drawn]);
}

function svg(title: string, height: number, content: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">` +
    `<title>${escaped(title)}</title><style>${style}</style>${text(8, 20, title)}\n${content.join('\n')}\n</svg>\n`
  );
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const round = (value: number): number => Math.round(value * 10) / 10;
