import type { Event, Pod } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { copyName } from './names.ts';
import { namedAsHere, noticeOf } from './notices.ts';

const event = (more: Partial<Event>): Event => ({ metadata: {}, involvedObject: { kind: 'Pod' }, ...more });

const dialect = { name: 'elsewhere', remedyOf: () => undefined };

test('an event is told as it is, and where it comes from', () => {
  const involvedObject = { kind: 'Pod', fieldPath: 'spec.containers{main}' };
  const source = { component: 'kubelet', host: 'node-1' };
  expect(
    noticeOf(event({ type: 'Warning', reason: 'BackOff', message: 'again', involvedObject, source }), dialect),
  ).toEqual({
    severity: 'Warning',
    reason: 'BackOff',
    message: 'again',
    fieldPath: 'spec.containers{main}',
    component: 'elsewhere',
  });
});

test('the other scheduler’s success is not told', () => {
  const reportingComponent = 'default-scheduler';
  expect(noticeOf(event({ reason: 'Scheduled', reportingComponent }), dialect)).toBeUndefined();
});

test.each(['spillway-hosts', 'spillway-link'])('of %s only what goes wrong is told, and of the pod', (container) => {
  const involvedObject = { kind: 'Pod', fieldPath: `spec.initContainers{${container}}` };
  const told = (type: string): ReturnType<typeof noticeOf> =>
    noticeOf(event({ type, reason: 'Failed', message: 'no image', involvedObject }), dialect);
  expect(told('Normal')).toBeUndefined();
  expect(told('Warning')).toEqual({
    severity: 'Warning',
    reason: 'Failed',
    message: 'no image',
    component: 'elsewhere',
  });
});

describe('what is said of a pod elsewhere', () => {
  const owner = { clusterId: 'c', nodeName: 'n' };
  const here = { name: 'web-0', namespace: 'shop', uid: '1-a' };
  const [config, login] = ['app.config', 'login'].map((name) => copyName(owner, 'shop', name));
  const there: Pod = {
    metadata: { name: 'shop-web-0', namespace: 'burst', uid: '2-b' },
    spec: {
      containers: [],
      volumes: [{ name: 'shop', configMap: { name: config ?? '' } }],
      imagePullSecrets: [{ name: login ?? '' }],
    },
  };

  test.each([
    [
      'Back-off restarting failed container main in pod shop-web-0_burst(2-b)',
      'Back-off restarting failed container main in pod web-0_shop(1-a)',
    ],
    ['Created container main', 'Created container main'],
    [`volume "shop" : configmap "${config}" not found`, 'volume "shop" : configmap "app.config" not found'],
    [`object "burst"/"${config}" not registered`, 'object "shop"/"app.config" not registered'],
    [`couldn't find key a in ConfigMap burst/${config}.`, "couldn't find key a in ConfigMap shop/app.config."],
    [`Unable to retrieve some image pull secrets (${login})`, 'Unable to retrieve some image pull secrets (login)'],
    [
      'pod burst/shop-web-0: image shop-web-0.example/shop-web-01',
      'pod shop/web-0: image shop-web-0.example/shop-web-01',
    ],
  ])('%s', (said, told) => {
    expect(namedAsHere(said, there, here)).toBe(told);
  });

  test('is not changed where nothing of it is known', () => {
    expect(namedAsHere('image shop-a-12345678: (burst)', { metadata: {} }, here)).toBe(
      'image shop-a-12345678: (burst)',
    );
  });
});
