import { ConfigurationWatch } from '../../../sidecar/kong/configuration-watch';
import type { KongFacts } from '../../../sidecar/kong/kong-facts';
import { MEMORY_KEYS } from '../../../sidecar/memory/memory-changes';
import { encodeRecord, valueOf } from '../../../sidecar/memory/memory-record';

function facts(configurationHash: string | undefined): KongFacts {
  const one = {
    instance: '10.0.0.1:8007',
    isReachable: true,
    configurationHash,
    problem: undefined,
    targets: [],
  };
  return { instances: [one], observed: () => undefined };
}

/** As the disk gives it back. */
function written(watch: ConfigurationWatch): unknown {
  const { puts, deletes } = watch.takeDirty();
  expect(deletes).toEqual([]);
  const [put] = puts;
  return put && valueOf(encodeRecord(put.key, put.value));
}

describe("the watch of Kong's configuration", () => {
  it('tells after a restart what changed while nothing ran', () => {
    const before = new ConfigurationWatch();
    expect(before.look(facts('a'))).toEqual([]);
    const value = written(before);
    const after = new ConfigurationWatch();
    after.restore(value);
    expect(after.look(facts('b'))).toEqual([{ instance: '10.0.0.1:8007', before: 'a', after: 'b' }]);
  });

  it('tells nothing twice over a restart', () => {
    const before = new ConfigurationWatch();
    before.look(facts('a'));
    before.look(facts('b'));
    const after = new ConfigurationWatch();
    after.restore(written(before));
    expect(after.look(facts('b'))).toEqual([]);
  });

  it('writes what is new, under its own key, and nothing where nothing is', () => {
    const watch = new ConfigurationWatch();
    expect(written(watch)).toBeUndefined();
    watch.look(facts(undefined));
    expect(written(watch)).toBeUndefined();
    watch.look(facts('a'));
    expect(watch.takeDirty().puts).toMatchObject([{ key: MEMORY_KEYS.kongConfiguration }]);
    watch.look(facts('a'));
    expect(written(watch)).toBeUndefined();
    const restored = new ConfigurationWatch();
    watch.look(facts('b'));
    restored.restore(written(watch));
    expect(written(restored)).toBeUndefined();
  });

  it.each([[undefined], ['x'], [{ latest: 1, hashes: {} }], [{ hashes: { one: 7 } }]])(
    'begins anew where there is %j',
    (value) => {
      const watch = new ConfigurationWatch();
      watch.restore(value);
      expect([watch.look(facts('a')), watch.look(facts('b')).length]).toEqual([[], 1]);
    },
  );
});
