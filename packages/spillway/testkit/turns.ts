import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';
import { spread } from './spread.ts';

const isUnit = ({ project }: TestSpecification): boolean => project.name === 'unit';
const takesTurns = ({ project }: TestSpecification): boolean => project.name === 'product';

/** The longest files first, as ever, but those that take turns with the one pair of clusters spread among the others. */
export class TurnsSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byLength = await BaseSequencer.prototype.sort.call(this, files);
    const onCluster = byLength.filter((file) => !isUnit(file));
    return [...byLength.filter(isUnit), ...spread(onCluster, takesTurns)];
  }
}
