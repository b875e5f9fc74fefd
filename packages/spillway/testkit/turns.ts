import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';
import { secondsIn } from './seconds.ts';
import { spread } from './spread.ts';

const root = path.join(import.meta.dirname, '../../..');
const isUnit = ({ project }: TestSpecification): boolean => project.name === 'unit';
const takesTurns = ({ project }: TestSpecification): boolean => project.name === 'product';

/**
 * The longest files first, so that no long one is left when the others have ended, but those that take turns with the one pair of
 * clusters spread among the others. How long they are says the page about them: a machine that has run none knows nothing.
 */
export class TurnsSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byLength = await BaseSequencer.prototype.sort.call(this, files);
    // A copy of the sources alone has no pages.
    const page = await readFile(path.join(root, 'docs/development.md'), 'utf8').catch(() => '');
    const seconds = secondsIn(page);
    const secondsOf = ({ moduleId }: TestSpecification): number => seconds.get(path.relative(root, moduleId)) ?? 0;
    const onCluster = byLength.filter((file) => !isUnit(file)).toSorted((a, b) => secondsOf(b) - secondsOf(a));
    return [...byLength.filter(isUnit), ...spread(onCluster, takesTurns)];
  }
}
