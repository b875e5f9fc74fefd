import { childrenOf, type Field, fields, findFields, lastSegment } from './fields.ts';
import { nearest } from './suggest.ts';

/** What `spillway config explain FIELD` prints; an empty path explains the file. `undefined`: there is no such field. */
export function explain(path: string): string | undefined {
  const found = findFields(path);
  if (found.length === 0) return undefined;
  return found.map((field) => explainField(field)).join('\n\n');
}

/** The known field that is most like the path. */
export function nearestField(path: string): string | undefined {
  return nearest(
    path,
    fields().map((field) => field.path),
  );
}

function explainField(field: Field): string {
  const lines = [
    `${field.path === '' ? 'configuration file' : field.path}${field.variant === undefined ? '' : ` (${field.variant})`}`,
    `  ${field.description}`,
    `  ${field.type}${field.required && field.path !== '' ? ', required' : ''}${field.default === undefined ? '' : `, default ${field.default}`}`,
  ];
  const children = childrenOf(field.path);
  if (children.length > 0) {
    const width = Math.max(...children.map((child) => lastSegment(child.path).length));
    lines.push('', 'FIELDS');
    for (const child of children) {
      const variant = child.variant === undefined ? '' : ` [${child.variant}]`;
      lines.push(`  ${lastSegment(child.path).padEnd(width)}  ${child.description}${variant}`);
    }
  }
  return lines.join('\n');
}

/** The table of all fields for docs/configuration.md. */
export function referenceTable(): string {
  const rows = fields()
    .filter(({ path }) => path !== '')
    .map((field) => {
      const about = field.variant === undefined ? field.description : `(${field.variant}) ${field.description}`;
      const value = field.required ? '**required**' : (field.default ?? '–');
      return `| \`${field.path}\` | ${field.type} | ${value} | ${about.replaceAll('|', '\\|')} |`;
    });
  return ['| field | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
