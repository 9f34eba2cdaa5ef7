import { resolve } from 'node:path';
import { renderConfig } from '../../../sidecar/config/render-config';
import { restartReasons } from '../../../sidecar/config/restart-reasons';
import { configOf, faultsOf } from '../../support/read-config-text';

const DAY_MS = 86_400_000;

describe('where batches are recorded', () => {
  it('is nowhere where the key is left out or empty, however long is said', () => {
    for (const text of [
      '',
      'record_dir:\n',
      "record_dir: ''\nrecord_for: 3d\n",
      "record_dir: '${NOT_SET:-}'\n",
    ])
      expect(configOf(text).recording).toBeUndefined();
  });

  it('is a directory, and for seven days where nothing else is said', () => {
    expect(configOf('record_dir: recorded\n').recording).toEqual({
      directory: resolve('recorded'),
      keepMs: 7 * DAY_MS,
    });
    expect(configOf('record_dir: /var/lib/x\nrecord_for: 1d12h\n').recording).toEqual({
      directory: '/var/lib/x',
      keepMs: 1.5 * DAY_MS,
    });
  });

  it.each([
    ['record_dir: ~/recorded\n', 'record_dir: expected a path (~ is not filled in'],
    ['record_for: 12h\n', 'record_for: expected a duration from 1d to 400d, such as 30s or 5m, found "12h"'],
    [
      'record_for: 401d\n',
      'record_for: expected a duration from 1d to 400d, such as 30s or 5m, found "401d"',
    ],
  ])('is refused as in %j', (text, fault) => {
    const [first, ...others] = faultsOf(text);
    expect(first).toContain(fault);
    expect(others).toEqual([]);
  });

  it('is shown as it is in force, and means the same when it is read again', () => {
    const config = configOf('record_dir: /var/lib/x\nrecord_for: 36h\n');
    const text = renderConfig(config);
    expect(text).toContain('record_dir: /var/lib/x\nrecord_for: 1d12h\n');
    expect(configOf(text)).toEqual(config);
  });

  it('may change while the sidecar runs', () => {
    expect(restartReasons(configOf(''), configOf('record_dir: /var/lib/x\n'))).toEqual([]);
  });
});
