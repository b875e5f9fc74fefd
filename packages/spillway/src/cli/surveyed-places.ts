import { silentLogger } from '@spillway/kube';
import type { Survey } from '../backends/survey.ts';
import type { Config } from '../config/config.ts';
import type { SurveyedPlace } from '../removal/leaks.ts';
import { makeSurvey } from '../serve/backends.ts';

/** Where the pools of a configuration lead; those of one account lead to the same. @param livingId of the cluster that answers */
export function surveyedPlaces({ pools, clusterId }: Config, livingId: string | undefined): readonly SurveyedPlace[] {
  const places = new Map<string, SurveyedPlace>();
  for (const pool of pools) {
    const survey: Survey | undefined = makeSurvey(pool.backend, {
      clusterId: clusterId ?? livingId,
      environment: process.env,
      logger: silentLogger,
    });
    if (survey !== undefined && !places.has(survey.place)) places.set(survey.place, { survey, pool });
  }
  return [...places.values()];
}
