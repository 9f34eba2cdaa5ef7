import { parseOptions } from '../../../kong/demo/options';

describe('the flags of npm start', () => {
  it('stand for the documented ports and a light traffic when none is given', () => {
    expect(parseOptions([])).toEqual({
      kind: 'run',
      options: {
        traffic: true,
        realKong: false,
        spotlight: false,
        verbose: false,
        proxyPort: 8000,
        statusPort: 8101,
        sidecarPort: 9765,
        prometheusPort: 9090,
        spotlightPort: 8969,
        upstreamBasePort: 9101,
      },
    });
  });

  it('change each port and switch', () => {
    const parsed = parseOptions([
      '--no-traffic',
      '--kong',
      '--spotlight',
      '--verbose',
      '--proxy-port=1',
      '--status-port=2',
      '--sidecar-port=3',
      '--prometheus-port=65535',
      '--spotlight-port=4',
      '--upstream-base-port=65530',
    ]);
    expect(parsed).toEqual({
      kind: 'run',
      options: {
        traffic: false,
        realKong: true,
        spotlight: true,
        verbose: true,
        proxyPort: 1,
        statusPort: 2,
        sidecarPort: 3,
        prometheusPort: 65535,
        spotlightPort: 4,
        upstreamBasePort: 65530,
      },
    });
  });

  it.each([
    [['--proxy-prot', '1'], "Unknown option '--proxy-prot'. `npm start -- --help` lists the flags."],
    [['now'], "Unexpected argument 'now'. `npm start -- --help` lists the flags."],
  ])('refuse %j with the word that is not known', (args, message) => {
    const parsed = parseOptions(args);
    expect(parsed).toEqual({ kind: 'refused', message });
  });

  it.each(['0', '65536', '-1', '8000.5', '1e3', 'eighty', ''])('refuse "%s" as a port', (value) => {
    expect(parseOptions([`--sidecar-port=${value}`])).toEqual({
      kind: 'refused',
      message: `--sidecar-port must be a whole number from 1 to 65535, found "${value}". \`npm start -- --help\` lists the flags.`,
    });
  });

  it('refuse a base port above which six ports have no room', () => {
    const parsed = parseOptions(['--upstream-base-port', '65531']);
    expect(parsed).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('from 1 to 65530') as string,
    });
  });

  it('are all explained by --help', () => {
    const parsed = parseOptions(['--help']);
    const text = parsed.kind === 'help' ? parsed.text : '';
    for (const flag of [
      'no-traffic',
      'kong',
      'spotlight',
      'verbose',
      'help',
      'proxy-port',
      'status-port',
      'sidecar-port',
      'spotlight-port',
    ]) {
      expect(text).toContain(`--${flag} `);
    }
    expect(text).toContain('--prometheus-port N');
    expect(text).toContain('(9101)');
  });
});
