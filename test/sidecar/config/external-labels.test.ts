import { renderConfig } from '../../../sidecar/config/render-config';
import { configOf, faultsOf } from '../../support/read-config-text';

describe('external_labels', () => {
  it('are names and texts, and none where nothing is said', () => {
    expect(configOf('').externalLabels).toEqual({});
    const config = configOf("external_labels: { cluster: eu-1, _x9: '7' }");
    expect(config.externalLabels).toEqual({ cluster: 'eu-1', _x9: '7' });
    expect(configOf(renderConfig(config)).externalLabels).toEqual(config.externalLabels);
  });

  it.each([
    ['an own label of alerts', 'severity: x'],
    ['the name of alerts', 'alertname: x'],
    ['a name that not every Alertmanager takes', "'a-b': x"],
    ['a name for inside of Prometheus', '__x: x'],
    ['an empty text', "cluster: ''"],
    ['a text of two lines', 'cluster: "a\\nb"'],
    ['a text that is long', `cluster: ${'x'.repeat(201)}`],
    ['a number', 'cluster: 7'],
    ['eleven of them', Array.from({ length: 11 }, (_, index) => `l${index}: x`).join(', ')],
  ])('are not %s', (_, labels) => {
    expect(faultsOf(`external_labels: { ${labels} }`)).toEqual([
      expect.stringMatching(/external_labels.*: expected at most 10 labels such as cluster: eu-1/),
    ]);
  });
});
